// Asking for stops, clearings, and what is to be of an alarm. Nothing is ever sent twice, or again by itself.

import { make, page } from "./dom.js";
import { known, post, signIn } from "./sign.js";

const HOLD = 1000; // ms
const STOPS = "/api/v1/emergency-stops";

function hold(label, act) {
  let timer = 0;
  const button = make("button", { className: "hold", textContent: label, title: "hold for 1 s" });
  const end = () => { clearTimeout(timer); timer = 0; button.classList.remove("held"); };
  const begin = () => {
    if (timer) return;
    button.classList.add("held");
    timer = setTimeout(() => { end(); act(); }, HOLD);
  };
  const key = (event) => event.key === "Enter" || event.key === " ";
  for (const event of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(event, end);
  button.addEventListener("pointerdown", begin);
  button.addEventListener("keydown", (event) => { if (key(event)) { event.preventDefault(); begin(); } });
  button.addEventListener("keyup", (event) => { if (key(event)) end(); });
  return button;
}

export function ask(title, action, path, body, needs = {}, told = "") {
  const dialog = page("#ask"), form = dialog.querySelector("form"), said = dialog.querySelector("p");
  const { reason, seconds, password, fresh, go, back } = form.elements, sign = form.querySelector(".sign");
  dialog.querySelector("h2").textContent = title;
  go.textContent = action;
  reason.value = "";
  said.textContent = told;
  reason.required = Boolean(needs.reason);
  form.querySelector(".time").hidden = !needs.seconds;
  password.value = fresh.value = "";
  fresh.closest("label").hidden = true;
  sign.hidden = known();
  back.onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    const time = needs.seconds ? { seconds: Number(seconds.value) } : {};
    const refused = (known() ? "" : await signIn(form.elements)) || await post(path, { ...body, ...time, reason: reason.value });
    go.disabled = false;
    if (!refused) { dialog.close(); return; }
    said.textContent = refused;
    sign.hidden = known();
  };
  dialog.showModal();
}

// At once if somebody is signed in; the dialog only for what is missing, or to tell why not.
export async function quickly(title, action, path, body) {
  const signed = known();
  const refused = signed ? await post(path, body) : "";
  if (!signed || refused) ask(title, action, path, body, {}, refused);
}

// A stop button, and beside it the way out of the stop that is in force.
export function guard(name, place) {
  const title = `${place.scope.toUpperCase()} STOP`;
  const stop = hold(title, () => ask(`${title}: ${name}`, "STOP", STOPS, place));
  const sign = make("span", { className: "stopped", textContent: "STOP IN FORCE", hidden: true });
  const clear = make("button", { textContent: "clear…", hidden: true, className: "clear" });
  return {
    elements: [sign, clear, stop],
    show({ EmergencyStop: on, EmergencyStopId: id }) {
      sign.hidden = clear.hidden = !on.value;
      stop.hidden = on.value;
      clear.onclick = () => ask(`Clear the ${place.scope} stop: ${name}`, "Clear", `${STOPS}/${id.value}/clear`, {}, { reason: true });
    },
  };
}
