"use strict";
// Everything from outside is put in as text; nothing of it is ever read as HTML.
const cell = (tag, value) => {
  const made = document.createElement(tag);
  made.textContent = value === undefined || value === null ? "" : String(value);
  if (typeof value === "number") made.className = "number";
  return made;
};
const nothing = (width) => {
  const row = document.createElement("tr");
  const made = cell("td", "none");
  made.colSpan = width;
  row.append(made);
  return row;
};
const fill = (id, heads, rows, isBad) => {
  const head = document.createElement("tr");
  heads.forEach((name) => head.append(cell("th", name)));
  const body = rows.map((row) => {
    const made = document.createElement("tr");
    if (isBad && isBad(row)) made.className = "bad";
    row.forEach((value) => made.append(cell("td", value)));
    return made;
  });
  document.getElementById(id).replaceChildren(head, ...(body.length ? body : [nothing(heads.length)]));
};
const priorities = ["CRITICAL", "HIGH", "NORMAL", "LOW"];
let before = null;
const rate = (live, priority) => {
  if (!before) return "";
  const seconds = (Date.parse(live.now) - Date.parse(before.now)) / 1000;
  const came = live.ledger.by_priority[priority].accepted - before.ledger.by_priority[priority].accepted;
  return seconds > 0 ? Math.round(came / seconds) : "";
};
const show = (live) => {
  const state = document.getElementById("state");
  const balance = live.ledger.balances ? "the ledger balances" : "THE LEDGER DOES NOT BALANCE";
  state.textContent = `${live.health}, ${balance}, up for ${live.uptime_s} s, as of ${live.now}`;
  state.className = live.health === "healthy" && live.ledger.balances ? "" : "bad";
  const columns = ["accepted", "delivered", "dead_lettered", "expired", "shed", "pending", "refused"];
  fill("ledger", ["priority", ...columns, "a second"], priorities.map(
    (priority) => [priority, ...columns.map((column) => live.ledger.by_priority[priority][column]), rate(live, priority)]));
  fill("streams", ["outlet", "takes", "pending", "with the sink", "delivered", "let alone"], live.outlets.map(
    (outlet) => [outlet.name, outlet.takes, outlet.pending, outlet.in_flight, outlet.delivered, outlet.open ? "yes" : ""]),
    (row) => row[5] === "yes");
  fill("alarms", ["time", "source", "subject", "level", "id"], live.alarms.map(
    (alarm) => [alarm.time, alarm.source, alarm.subject, alarm.level, alarm.id]));
  fill("parts", ["part", "state", "started again", "why"], live.parts.map(
    (part) => [part.name, part.state, part.restarts, part.why]), (row) => row[1] === "failed" || row[1] === "backing-off");
  fill("sources", ["source", "shed", "priorities that are none"], live.sources.map(
    (source) => [source.source, source.shed, source.unknown_priority]));
  fill("jobs", ["worker", "job", "name", "state", "age in s", "polls"], live.jobs.map(
    (job) => [job.worker, job.id, job.name, job.state, job.age_s, job.polls]));
  before = live;
};
const ask = () => {
  fetch("/live.json", { cache: "no-store" })
    .then((answer) => answer.json())
    .then(show)
    .catch((error) => {
      const state = document.getElementById("state");
      state.textContent = `no answer: ${error.message}`;
      state.className = "bad";
    })
    .finally(() => setTimeout(ask, 1000));
};
ask();
