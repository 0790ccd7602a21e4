// The page is all there is: no menu, zoom, selection, drag or way out of it.

const ZOOMS = new Set(["+", "-", "=", "0", "_"]);
const STOPPED = ["contextmenu", "dragstart", "dragover", "drop", "gesturestart", "auxclick"];

export function still() {
  for (const kind of STOPPED) document.addEventListener(kind, (event) => event.preventDefault());
  document.addEventListener("selectstart", (event) => {
    if (event.target.id !== "scan") event.preventDefault();
  });
  document.addEventListener("wheel", (event) => {
    if (event.ctrlKey) event.preventDefault();
  }, { passive: false });
  document.addEventListener("touchmove", (event) => {
    if (event.touches.length > 1) event.preventDefault();
  }, { passive: false });
  document.addEventListener("keydown", (event) => {
    const chord = event.ctrlKey || event.metaKey;
    const leaves = event.altKey && event.key.startsWith("Arrow");
    const typing = event.target.id === "scan" && !ZOOMS.has(event.key);
    if ((chord && !typing) || leaves || /^F([1-9]|1[0-2])$/.test(event.key)) event.preventDefault();
  });
}
