// What the gateway delivered, as a phone shows it. Everything in a message is text: nothing of it is ever markup.
const $ = (id) => document.getElementById(id);
const messages = new Map();
let owner = null;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const field = element("textarea"); field.value = text; document.body.append(field); field.select(); document.execCommand("copy"); field.remove();
  }
  $("copied").hidden = false;
  clearTimeout(copy.timer); copy.timer = setTimeout(() => { $("copied").hidden = true; }, 1600);
}

function bubble(message, fresh) {
  const row = element("li", fresh ? "fresh" : "");
  row.append(element("time", "", new Date(message.at).toLocaleString("zh-CN", { hour12: false })));
  const box = element("div", "bubble");
  box.append(element("h3", "", message.title), element("p", "", message.text_zh));
  const english = element("p", "", message.text_en); english.lang = "en"; box.append(english);
  if (message.code) {
    const code = element("button", "code", message.code_shown);
    code.append(element("small", "", "点一下复制 tap to copy"));
    code.onclick = () => copy(message.code);
    box.append(code);
  }
  if (message.scan) {
    const scan = element("button", "scan"), picture = element("img");
    picture.src = `messages/${message.id}/scan.svg`; picture.alt = "二维码，点开放大 · scan code, tap to enlarge";
    scan.append(picture); scan.onclick = () => { $("large").querySelector("img").src = picture.src; enlarge(message.scan); };
    box.append(scan);
  }
  row.append(box);
  return row;
}

function numbers() {
  const counts = new Map();
  for (const message of messages.values()) counts.set(message.to, (counts.get(message.to) ?? 0) + 1);
  const buttons = [...counts].map(([number, count]) => {
    const button = element("button", "", number);
    button.append(element("i", "", `${count} 条`));
    button.setAttribute("aria-pressed", number === owner);
    button.onclick = () => { owner = number; all(); };
    return button;
  });
  $("numbers").replaceChildren(...(buttons.length ? buttons : [element("span", "quiet", "还没有短信 · no message yet")]));
}

function all() {
  const mine = [...messages.values()].filter((message) => message.to === owner);
  const empty = element("li", "empty", "还没有短信");
  empty.append(element("small", "", "No message yet"));
  $("bubbles").replaceChildren(...(mine.length ? mine.map((message) => bubble(message, false)) : [empty]));
  $("owner").textContent = owner ?? "Document locker";
  numbers();
  bottom();
}

function bottom() { $("bubbles").scrollTop = $("bubbles").scrollHeight; }

function arrive(message) {
  if (messages.has(message.id)) return;
  messages.set(message.id, message);
  if (owner !== message.to) { owner = message.to; all(); $("bubbles").lastChild.classList.add("fresh"); return; }
  $("bubbles").querySelector(".empty")?.remove();
  $("bubbles").append(bubble(message, true));
  numbers(); bottom();
}

async function load() {
  messages.clear();
  for (const message of await (await fetch("messages")).json()) messages.set(message.id, message);
  owner ??= [...messages.values()].at(-1)?.to ?? null;
  all();
  $("link").textContent = "";
}

function enlarge(text) {
  $("large").querySelector(".text").onclick = () => { $("large").close(); copy(text); };
  $("large").showModal();
}

$("large").querySelector(".close").onclick = () => $("large").close();
const tick = () => { $("clock").textContent = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" }); };
tick(); setInterval(tick, 10_000);
const events = new EventSource("events");
events.onopen = load;
events.onerror = () => { $("link").textContent = "连接断了，正在重试 · connection lost, trying again"; };
events.addEventListener("message", (event) => arrive(JSON.parse(event.data)));
