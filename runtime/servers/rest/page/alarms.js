// The list of alarms: what stands, what is hidden, and what an operator may do about each.

import { ask, quickly } from "./ask.js";
import { make, page } from "./dom.js";

const SHAPES = { 1: "■", 2: "▲", 3: "●", 4: "◆" };
const LISTED = 50; // lines shown
const ALARMS = "/api/v1/alarms";
const ENGINEERS = 1; // priority that operators don't shelve

const when = (time) => time ? new Date(time).toLocaleString() : "";
const named = ({ alarm, station, pump }) => Object.fromEntries(Object.entries({ alarm, station, pump }).filter(([, value]) => value !== null));

// Lines are made once and then only changed: a button must not be exchanged under a finger.
function line(alarm) {
  const { priority, scope, station, pump, text, cause, consequence, response } = alarm;
  const place = [station, pump].filter((part) => part !== null).join(" / ") || scope;
  const state = make("span", { className: "state" }), first = make("span", { className: "first", textContent: "first", title: "came first in its station" });
  const time = make("time"), body = named(alarm), title = `${place}: ${text}`;
  const button = (label, act) => make("button", { className: "clear", textContent: label, onclick: act });
  const acknowledge = button("acknowledge", () => quickly(`Acknowledge: ${title}`, "Acknowledge", `${ALARMS}/acknowledge`, body));
  const reset = button("reset", () => quickly(`Reset: ${title}`, "Reset", `${ALARMS}/reset`, body));
  const shelve = button("shelve…", () => ask(`Shelve: ${title}`, "Shelve", `${ALARMS}/shelve`, body, { reason: true, seconds: true }));
  const unshelve = button("unshelve", () => quickly(`Unshelve: ${title}`, "Unshelve", `${ALARMS}/unshelve`, body));
  const element = make("li", { title: `Cause: ${cause}\nConsequence: ${consequence}\nDo: ${response}` },
    make("span", { className: `badge p${priority}`, textContent: `${SHAPES[priority]} ${priority}` }),
    make("strong", { textContent: place }), make("span", { textContent: text }), first, state, time,
    make("span", { className: "acts" }, acknowledge, reset, unshelve, shelve));
  return {
    element,
    show({ state: word, since, shelved_until: until, first_out }) {
      const waits = word.includes("unacknowledged");
      element.classList.toggle("waits", waits);
      state.textContent = until ? `${word} until ${when(until)}` : word;
      first.hidden = !first_out;
      time.textContent = when(since);
      acknowledge.hidden = !waits;
      reset.hidden = word !== "latched acknowledged";
      unshelve.hidden = word !== "shelved";
      shelve.hidden = priority === ENGINEERS || word.startsWith("latched") || word === "out of service" || word === "shelved";
    },
  };
}

function list(element) {
  let lines = new Map();
  return (alarms) => {
    const shown = alarms.slice(0, LISTED).map((alarm) => [JSON.stringify(named(alarm)), alarm]);
    lines = new Map(shown.map(([key, alarm]) => [key, lines.get(key) ?? line(alarm)]));
    for (const [key, alarm] of shown) lines.get(key).show(alarm);
    const wanted = [...lines.values()].map((one) => one.element);
    if (wanted.length !== element.children.length || wanted.some((one, place) => one !== element.children[place])) element.replaceChildren(...wanted);
  };
}

const standing = list(page("#alarms > ol")), hidden = list(page("#hidden ol"));

export async function refreshAlarms(get) {
  const open = page("#hidden").open;
  const [told, concealed] = await Promise.all([get(ALARMS), open ? get(`${ALARMS}?state=hidden`) : { alarms: [] }]);
  const heads = [told.found ? `Alarms: ${told.found}` : "No alarms"];
  if (told.unacknowledged) heads.push(`${told.unacknowledged} to acknowledge`);
  if (told.flood) heads.push("FLOOD");
  page("#alarms h2").textContent = heads.join(" · ");
  page("#hidden summary").textContent = `Hidden alarms · ${told.shelved} shelved · with those above, ${told.active} active`;
  standing(told.alarms);
  hidden(concealed.alarms);
}

// On the card of a station: acknowledge all that waits in it.
export function acknowledgeAll(name, station) {
  const button = make("button", { className: "clear", hidden: true });
  button.onclick = () => quickly(`Acknowledge all: ${name}`, "Acknowledge", `${ALARMS}/acknowledge-all`, { station });
  return {
    element: button,
    show({ value }) {
      button.hidden = !value;
      button.textContent = `acknowledge ${value}`;
    },
  };
}
