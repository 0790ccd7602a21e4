// A locker's page, renewed while it is looked at: what it shows is put in place, whoever reads or tabs stays.
"use strict";

const EVERY_MS = 5000;

async function renew() {
  const shown = document.getElementById("main");
  const typing = shown.contains(document.activeElement) && document.activeElement !== shown;
  if (document.hidden || typing) return;
  // `live`: a page that fetches itself is no sign of somebody at work.
  const answer = await fetch(`${location.pathname}?live=1`, { redirect: "manual" });
  if (answer.type === "opaqueredirect") return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("main");
  if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
}

setInterval(() => renew().catch(() => undefined), EVERY_MS);
