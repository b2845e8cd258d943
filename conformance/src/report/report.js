// Shows the rules that the filters ask for. Without it, everything is shown.
"use strict";
const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("[data-rule]")];
const count = document.getElementById("shown");

function apply() {
  const text = form.text.value.trim().toLowerCase();
  const group = form.group.value;
  const host = form.host.value;
  const verdict = form.verdict.value;
  const mutant = form.mutant.value;
  let shown = 0;
  for (const row of rows) {
    const verdicts = row.dataset.verdicts.split(" ").filter((pair) => host === "" || pair.startsWith(host + "="));
    const fits =
      (text === "" || row.dataset.text.includes(text)) &&
      (group === "" || row.dataset.group === group) &&
      verdicts.some((pair) => verdict === "" || pair.endsWith("=" + verdict)) &&
      (mutant === "" || row.dataset.mutants === mutant);
    row.hidden = !fits;
    if (fits && row.tagName === "TR") shown += 1;
  }
  for (const heading of document.querySelectorAll("h3[data-heading]")) {
    heading.hidden = !rows.some((row) => row.tagName === "DETAILS" && !row.hidden && row.dataset.group === heading.dataset.heading);
  }
  count.textContent = shown + " rules";
}

form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("reset", () => setTimeout(apply));
form.addEventListener("submit", (event) => event.preventDefault());
apply();
