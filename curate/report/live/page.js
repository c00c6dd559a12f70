// What the page does by itself: it starts what is live, and opens what is folded for the printer.
const starters = { "what-if": whatIf, map: pointMap };
for (const root of document.querySelectorAll("[data-live]"))
  starters[root.dataset.live](root, JSON.parse(root.querySelector("script").textContent));
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) {
    folded.open = true;
    folded.dataset.folded = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const opened of document.querySelectorAll("details[data-folded]")) opened.open = false;
});
