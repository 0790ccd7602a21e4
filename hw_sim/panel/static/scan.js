// The scanner's card: hold a code before it, pull its plug. Hidden where the cabinet has none.
const byId = (id) => document.getElementById(id);

async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return fetch(path, body ? post : undefined);
}

function say(zh, en) {
  byId("scan-said").innerHTML = `${zh} <small>${en}</small>`;
}

async function show() {
  const answer = await ask("api/scanner");
  if (!answer.ok) return;
  const state = await answer.json();
  byId("scanner").hidden = false;
  byId("scan-plug").setAttribute("aria-pressed", String(!state.plugged));
  byId("scan-device").textContent = state.plugged ? `${state.kind} · ${state.device.split("/").pop()}` : "—";
}

byId("scanner").addEventListener("submit", async (event) => {
  event.preventDefault();
  const code = byId("scan-code").value.replace(/\s/g, "");
  if (!code) return;
  const answer = await ask("api/scan", { code });
  if (answer.status === 409) say("扫码器已拔掉", "the scanner is unplugged");
  else if (!answer.ok) say("这不是码", "that is no code");
  else if ((await answer.json()).read) {
    byId("scan-code").value = "";
    say("已读到", "read");
  } else say("灯没亮，没读到", "its beam is off: nothing was read");
});

byId("scan-plug").addEventListener("click", async () => {
  const out = byId("scan-plug").getAttribute("aria-pressed") === "true";
  await ask("api/scanner", { plugged: out });
  await show();
});

show();
