// What can be broken by hand: a whole line, or one of its boards. A pressed button is a fault that is there.
const LINE = [
  [{ loss: 0.1 }, "丢回复 10%", "Lose replies"], [{ request_loss: 0.1 }, "丢请求 10%", "Lose requests"],
  [{ flip: 0.01 }, "翻转比特 1%", "Flip bits"], [{ noise: 0.1 }, "杂讯 10%", "Stray bytes"],
  [{ collision: 0.1 }, "撞车 10%", "Collisions"], [{ duplicate: 0.1 }, "重复 10%", "Say it twice"],
  [{ late: 0.1 }, "迟到 10%", "Late replies"], [{ delay_ms: 150 }, "都慢 150 毫秒", "All slow"], [{ echo: true }, "回显", "Echoing adapter"],
  [{ swapped: true }, "A/B 接反", "A and B swapped"],
];
const BOARD = [
  ["dead", "断电", "Silent"], ["garbage", "回复前有杂码", "Garbage before replies"], ["reports", "主动上报", "Reports unasked"],
  ["wrong_echo", "回显错", "Wrong echo"], ["wrong_address", "地址错", "Wrong address"], ["wrong_command", "命令错", "Wrong command"],
  ["inverted", "输入反相", "Inputs inverted"], ["reordered", "字节倒序", "Status reordered"],
];
// Which boards are unfolded; kept while the page lives.
const unfolded = new Map();

function button(zh, en, on, work) {
  const made = Object.assign(document.createElement("button"), { innerHTML: `${zh}<small>${en}</small>`, onclick: work });
  made.setAttribute("aria-pressed", on);
  return made;
}

function boardRow(board, faults, change, open) {
  const has = (name) => faults[name].includes(board.address);
  const row = document.createElement("details"), own = BOARD.filter(([name]) => name !== "reports" || board.reports);
  const broken = own.filter(([name]) => has(name)).map(([, zh]) => zh);
  row.open = unfolded.get(board.key) ?? open;
  row.ontoggle = () => unfolded.set(board.key, row.open);
  row.innerHTML = `<summary><b>${board.address}</b> ${board.profile}<em>${broken.join(" · ")}</em></summary>`;
  const buttons = Object.assign(document.createElement("div"), { className: "buttons" });
  for (const [name, zh, en] of own) {
    const others = faults[name].filter((address) => address !== board.address);
    buttons.append(button(zh, en, has(name), () => change({ [name]: has(name) ? others : [...others, board.address] })));
  }
  row.append(buttons);
  return row;
}

// `change(wish)` sets faults of the line that is shown, `mend()` takes every fault of every line away.
export function drawFaults(box, line, change, mend) {
  const { faults, boards } = line, buttons = Object.assign(document.createElement("div"), { className: "buttons" });
  for (const [wish, zh, en] of LINE) {
    const [[name, value]] = Object.entries(wish), off = typeof value === "boolean" ? false : 0, on = Boolean(faults[name]);
    buttons.append(button(zh, en, on, () => change({ [name]: on ? off : value })));
  }
  const all = Object.assign(button("全部修好", "Mend all", false, mend), { className: "mend" });
  all.removeAttribute("aria-pressed");
  buttons.append(all);
  const rows = boards.map((board) => boardRow({ ...board, key: `${line.name}/${board.address}` }, faults, change, boards.length === 1));
  box.replaceChildren(...rows, buttons);
}
