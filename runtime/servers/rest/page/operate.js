// The operator page: shows the image once a second, and asks for stops and for what is to be of an alarm. It decides nothing.
//
// Whether data are live is judged by the scan number: a reply alone proves no running scan.

import { refreshAlarms } from "./alarms.js";
import { guard } from "./ask.js";
import { page } from "./dom.js";
import { stationCard } from "./show.js";

const POLL = 1000, PATIENCE = 2500, DEAD = 3000; // ms
const UNFOLDED = 8; // stations shown open

let scan = null, changed = -Infinity, limit = DEAD, trouble = "";
let cards = new Map(), shape = "";
const system = guard("all stations", { scope: "system" });
page("#system").append(...system.elements);

async function get(path) { // the browser revalidates with the entity tag
  const reply = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.detail);
  return body;
}

function build(stations) {
  const found = JSON.stringify(stations.map(({ station, name, active, pumps }) => [station, name, active, pumps]));
  if (found === shape) return;
  shape = found;
  const used = stations.filter((station) => station.active);
  cards = new Map(used.map((station) => [station.station, stationCard(station, used.length <= UNFOLDED)]));
  page("main").replaceChildren(...[...cards.values()].map((card) => card.element));
}

async function refresh() {
  try {
    const [all] = await Promise.all([get("/api/v1/stations"), refreshAlarms(get)]);
    build(all.stations);
    for (const station of all.stations) cards.get(station.station)?.show(station);
    system.show(all.system.tags);
    page("#scan").textContent = `scan ${all.scan}`;
    const open = [...cards].filter(([, card]) => card.element.open).map(([station]) => station);
    await Promise.all(open.map(async (station) => cards.get(station)?.detail(await get(`/api/v1/stations/${encodeURIComponent(station)}`))));
    if (all.live && all.scan !== scan) changed = performance.now();
    scan = all.scan;
    limit = Math.max(DEAD, 5000 * all.period_s);
    trouble = all.live ? "" : `the scan stands still since ${new Date(all.time).toLocaleTimeString()}`;
  } catch (error) {
    trouble = error.message;
  }
}

function watch() {
  const dead = performance.now() - changed > limit;
  page("#dead").hidden = !dead;
  page("#why").textContent = trouble;
  document.body.classList.toggle("dead", dead);
  for (const button of document.querySelectorAll("button.clear")) button.disabled = dead;
  page("#clock").textContent = new Date().toLocaleTimeString();
}

async function poll() {
  await refresh();
  watch();
  setTimeout(poll, POLL);
}

setInterval(watch, 500);
poll();
