// Shows the OpenAPI document as it is: paths first, then schemas, each unfolding in place.

import { make } from "./dom.js";

const document_ = await (await fetch("/api/v1/openapi.json")).json();

const words = (text) => make("p", { textContent: text });
const named = (schema) => schema?.$ref?.split("/").at(-1);

function shown(schema) {
  const name = named(schema);
  if (name) return make("a", { href: `#${name}`, textContent: name });
  return make("pre", { textContent: JSON.stringify(schema, null, 2) });
}

function content(entry) {
  return Object.entries(entry.content ?? {}).flatMap(([type, { schema }]) =>
    [make("code", { textContent: ` ${type} ` }), shown(schema)]);
}

function operation(path, method, told) {
  const parameters = told.parameters.map(({ name, in: place, required, description, schema }) =>
    make("li", {}, make("code", { textContent: name }), ` in ${place}${required ? "" : ", optional"}. ${description} `,
      make("code", { textContent: JSON.stringify(schema) })));
  const responses = Object.entries(told.responses).map(([code, response]) =>
    make("li", {}, make("strong", { textContent: code }), ` ${response.description}`, ...content(response)));
  return make("details", {},
    make("summary", {}, make("span", { className: "method", textContent: method.toUpperCase() }),
      make("code", { textContent: path }), ` ${told.summary}`),
    words(told.description),
    ...(told.security?.length ? [words("Needs the header Authorization: Bearer <token>.")] : []),
    ...(parameters.length ? [make("h3", { textContent: "Parameters" }), make("ul", {}, ...parameters)] : []),
    ...(told.requestBody ? [make("h3", { textContent: "Body" }), ...content(told.requestBody)] : []),
    make("h3", { textContent: "Responses" }), make("ul", {}, ...responses));
}

const groups = document_.tags.map(({ name }) => make("section", {}, make("h2", { textContent: name }),
  ...Object.entries(document_.paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([, told]) => told.tags.includes(name))
    .map(([method, told]) => operation(path, method, told)))));

const schemas = Object.entries(document_.components.schemas).map(([name, schema]) =>
  make("details", { id: name }, make("summary", {}, make("code", { textContent: name })), shown(schema)));

document.body.append(
  make("p", {}, make("a", { href: "/", textContent: "← operator page" })),
  make("h1", { textContent: `${document_.info.title} ${document_.info.version}` }), words(document_.info.description),
  make("p", {}, make("a", { href: "/api/v1/openapi.json", textContent: "/api/v1/openapi.json" })),
  ...groups, make("h2", { textContent: "Schemas" }), ...schemas);

addEventListener("hashchange", unfold);
unfold();

function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  if (target) target.open = true;
}
