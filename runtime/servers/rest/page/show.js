// Stations and pumps as elements that are made once and then only changed.

import { acknowledgeAll } from "./alarms.js";
import { guard } from "./ask.js";
import { make } from "./dom.js";

const digits = { Hz: 1, m: 2, kW: 1, "m³/h": 0, s: 0 };
const text = ({ value, unit }) => value === null ? "–" : `${value.toFixed(digits[unit] ?? 0)} ${unit}`;

function show(element, tag) {
  element.textContent = text(tag);
  element.classList.toggle("bad", tag.quality !== "Good");
  element.title = tag.quality;
}

function bar() {
  const [band, mark, want] = ["band", "mark", "want"].map((name) => make("span", { className: name }));
  const place = (value, low, high) => `${Math.max(0, Math.min(100, 100 * (value - low) / (high - low || 1)))}%`;
  return {
    element: make("span", { className: "bar" }, band, mark, want),
    show(low, high, from, to, value, wanted) {
      band.style.left = place(from, low, high);
      band.style.width = `calc(${place(to, low, high)} - ${place(from, low, high)})`;
      mark.hidden = value === null;
      mark.style.left = place(value, low, high);
      want.hidden = wanted === undefined || wanted === null;
      want.style.left = place(wanted, low, high);
    },
  };
}

function pumpRow(station, { pump, name }) {
  const speed = bar(), way = guard(`${station} / ${name}`, { scope: "pump", station, pump });
  const title = make("span", { className: "pump", textContent: name || pump });
  const [setpoint, actual, power] = Array.from({ length: 3 }, () => make("td", { className: "number" }));
  const authority = make("span"), limits = make("span", { className: "limits" });
  return {
    element: make("tr", {}, make("td", {}, title), make("td", {}, speed.element), setpoint, actual, power,
      make("td", {}, authority, limits),
      make("td", {}, make("span", { className: "acts" }, ...way.elements.slice(1)))),
    show({ tags }) {
      const { HardMaxSpeed: top, LowLimit: low, HighLimit: high, Limited: limited } = tags;
      title.classList.toggle("running", tags.Running.value);
      speed.show(0, top.value || 60, low.value, high.value, tags.Speed.value, tags.Setpoint.value);
      show(setpoint, tags.Setpoint); show(actual, tags.Speed); show(power, tags.Power);
      authority.textContent = tags.Stopped.value ? "STOP IN FORCE" : tags.LocalControl.value ? "Local" : tags.Authority.value;
      authority.className = tags.Stopped.value ? "stopped" : tags.Authority.quality === "Good" ? "" : "bad";
      limits.textContent = limited.value.length ? ` limit: ${limited.value.join(", ")}` : "";
      way.show(tags);
    },
  };
}

const HEADS = ["pump", "speed", "setpoint", "actual", "power", "by", ""];

export function stationCard({ station, name, pumps }, open) {
  const level = bar(), value = make("span"), state = make("span", { className: "dim" });
  const way = guard(name || station, { scope: "station", station }), waiting = acknowledgeAll(name || station, station);
  const rows = new Map(pumps.filter((pump) => pump.active).map((pump) => [pump.pump, pumpRow(station, pump)]));
  const element = make("details", { className: "station", open },
    make("summary", {}, make("strong", { textContent: name || station }), level.element, value, state,
      make("span", { className: "acts" }, waiting.element, ...way.elements)),
    make("table", {}, make("tr", {}, ...HEADS.map((head) => make("th", { textContent: head }))),
      ...[...rows.values()].map((row) => row.element)));
  for (const button of element.querySelectorAll("summary button")) button.addEventListener("click", (event) => event.preventDefault());
  level.element.hidden = true; // until the limits of its pumps are known
  return {
    element,
    show({ tags }) {
      show(value, tags.Level);
      state.textContent = tags.Failsafe.value ? "failsafe" : "";
      waiting.show(tags.UnacknowledgedAlarms);
      way.show(tags);
    },
    detail({ tags, pumps }) {
      const limits = pumps.filter((pump) => pump.active).map((pump) => pump.tags);
      for (const pump of pumps) rows.get(pump.pump)?.show(pump);
      level.element.hidden = !limits.length;
      if (!limits.length) return;
      const low = Math.min(...limits.map((limit) => limit.HardMinLevel.value));
      const high = Math.max(...limits.map((limit) => limit.HardMaxLevel.value));
      const margin = 0.15 * (high - low);
      level.show(low - margin, high + margin, low, high, tags.Level.value);
    },
  };
}
