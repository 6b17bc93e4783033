// Who is signed in: by a session, whose cookie this page can't read, or by the token of the emergency account.

import { make, page } from "./dom.js";

const OWN = "/api/v1/sessions/own", PRESENT = 60000, PATIENCE = 5000; // ms
const kept = sessionStorage;
let renewed = 0;

export const known = () => Boolean(kept.getItem("csrf") || kept.getItem("token"));

function proof() {
  if (kept.getItem("csrf")) return { "X-CSRF": kept.getItem("csrf") };
  return kept.getItem("token") ? { Authorization: `Bearer ${kept.getItem("token")}` } : {};
}

function forget() {
  for (const name of ["csrf", "token", "user"]) kept.removeItem(name);
  show();
}

// Nothing is ever sent twice. Says why it was refused; "" if it was done.
export async function post(path, body, done = () => {}) {
  try {
    const reply = await fetch(path, {
      method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE),
      headers: { "Content-Type": "application/json", ...proof() },
    });
    const told = reply.status === 204 ? {} : await reply.json();
    if (reply.status === 401) forget();
    if (reply.ok) done(told);
    return reply.ok ? "" : told.detail;
  } catch (error) {
    return `No answer (${error.message}): look whether it was done before you try again.`;
  }
}

function keep(told) {
  kept.setItem("csrf", told.csrf);
  kept.setItem("user", `${told.user} (${told.role})`);
  renewed = performance.now();
  show();
  return told;
}

// From the fields of a form. Without a user name the password is the token of the emergency account.
export async function signIn({ user, password, fresh }) {
  if (!user.value.trim()) {
    kept.setItem("token", password.value.trim());
    kept.setItem("user", "emergency account");
    show();
    return "";
  }
  let initial = false;
  const refused = await post("/api/v1/sessions", { user: user.value.trim(), password: password.value }, (told) => { initial = keep(told).initial; });
  if (refused || !initial) return refused;
  if (fresh.value) {
    const why = await post(`${OWN}/password`, { password: password.value, new: fresh.value }, keep);
    if (!why) return "";
    await post(`${OWN}/end`, {});
    forget();
    return why;
  }
  await post(`${OWN}/end`, {});
  forget();
  fresh.closest("label").hidden = false;
  return "Somebody else chose this password: choose another, of 15 characters or more.";
}

function show() {
  const place = page("#who");
  if (!place) return;
  const out = make("button", { textContent: "sign out", hidden: !known() });
  out.onclick = async () => { if (kept.getItem("csrf")) await post(`${OWN}/end`, {}); forget(); };
  place.replaceChildren(kept.getItem("user") ?? "", " ", out);
}

// The session lasts while its user does something; looking on is not doing.
for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => {
    if (!kept.getItem("csrf") || performance.now() - renewed < PRESENT) return;
    renewed = performance.now();
    post(`${OWN}/renew`, {}, keep);
  });
}
show();
