// Says that this page lives: its script runs, and what it draws is painted. A browser that hangs looks well from outside.
const EVERY_MS = 10_000;

// The second frame is begun only once the first one is drawn.
const painted = () => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });

export async function live(heading) {
  await painted();
  const said = { method: "POST", headers: heading(), body: "{}", signal: AbortSignal.timeout(EVERY_MS) };
  // Where the daemon is away nobody has to be told: the event stream brings its word once it is back.
  await fetch("/api/alive", said).catch(() => {});
  setTimeout(live, EVERY_MS, heading);
}
