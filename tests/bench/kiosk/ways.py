"""The ways out of the page that are tried, and the eye that is put into it."""

from typing import Final

KEYS: Final = (
    *("ctrl+n", "ctrl+shift+n", "ctrl+t", "ctrl+shift+t", "ctrl+w", "ctrl+shift+w", "ctrl+F4", "alt+F4"),
    *(
        "ctrl+q",
        "ctrl+shift+q",
        "ctrl+l",
        "alt+d",
        "F6",
        "ctrl+k",
        "ctrl+e",
        "ctrl+o",
        "ctrl+p",
        "ctrl+shift+p",
    ),
    *("ctrl+s", "ctrl+u", "ctrl+j", "ctrl+h", "ctrl+d", "ctrl+shift+d", "ctrl+shift+b", "ctrl+shift+o"),
    *(
        "ctrl+shift+Delete",
        "ctrl+shift+i",
        "ctrl+shift+j",
        "ctrl+shift+c",
        "F12",
        "F11",
        "F1",
        "F3",
        "ctrl+f",
    ),
    *(
        "F5",
        "ctrl+r",
        "ctrl+shift+r",
        "alt+Home",
        "alt+Left",
        "alt+Right",
        "BackSpace",
        "F10",
        "alt+f",
        "alt+e",
    ),
    *(
        "shift+Escape",
        "ctrl+Tab",
        "ctrl+Page_Down",
        "ctrl+9",
        "ctrl+shift+m",
        "ctrl+shift+a",
        "F7",
        "alt+f",
        "alt+e",
    ),
    *(
        "ctrl+plus",
        "ctrl+minus",
        "alt+shift+i",
        "Menu",
        "shift+F10",
        "alt+space",
        "Super_L",
        "Print",
        "Escape",
    ),
)
POINTER: Final = {
    "right click": ("click", "3"),
    "middle click": ("click", "2"),
    "the back button of a mouse": ("click", "8"),
    "the forward button of a mouse": ("click", "9"),
    "ctrl and click": ("keydown", "ctrl", "click", "1", "keyup", "ctrl"),
    "shift and click": ("keydown", "shift", "click", "1", "keyup", "shift"),
    "ctrl and wheel": ("keydown", "ctrl", "click", "4", "click", "4", "keyup", "ctrl"),
    "drag to the edge": ("mousedown", "1", "mousemove", "5", "5", "mouseup", "1"),
    "push to the upper edge": ("mousemove", "640", "0", "click", "1"),
}
FAR: Final = "https://example.org/"
PAGES: Final = {
    "window.open": f"window.open('{FAR}')",
    "window.open of nothing": "window.open('')",
    "window.open of ourselves": "window.open('/', '', 'popup,width=300,height=300')",
    "a link to a new tab": f"link({{href: '{FAR}', target: '_blank'}})",
    "a link to a file": "link({href: 'file:///etc/passwd'})",
    "a link to view-source:": "link({href: 'view-source:http://127.0.0.1:8080/'})",
    "a link to chrome://": "link({href: 'chrome://settings'})",
    "a link to data:": "link({href: 'data:text/html,x'})",
    "a link to blob:": "link({href: URL.createObjectURL(new Blob(['x'])), target: '_blank'})",
    "a download": "link({href: '/static/kiosk.css', download: 'x.css'})",
    "an external program: mailto:": "link({href: 'mailto:x@example.org'})",
    "an external program: tel:": "link({href: 'tel:110'})",
    "an external program: a scheme": "link({href: 'vnc://example.org'})",
    "print()": "window.print()",
    "a file to choose": "make('input', {type: 'file'}).click()",
    "a folder to choose": "window.showDirectoryPicker().catch(() => 0)",
    "the camera": "navigator.mediaDevices.getUserMedia({video: true}).catch(() => 0)",
    "the screen to share": "navigator.mediaDevices.getDisplayMedia().catch(() => 0)",
    "notifications": "Notification.requestPermission()",
    "where we are": "navigator.geolocation.getCurrentPosition(() => 0)",
    "a USB device": "navigator.usb?.requestDevice({filters: []}).catch(() => 0)",
    "a serial port": "navigator.serial?.requestPort().catch(() => 0)",
    "a protocol handler": "navigator.registerProtocolHandler('web+x', '/?%s')",
    "a service worker": "navigator.serviceWorker.register('/static/kiosk.js').catch(() => 0)",
    "leaving full screen": "document.exitFullscreen().catch(() => 0)",
    "closing the window": "window.close()",
    "going back": "history.go(-1)",
    "a frame of elsewhere": f"make('iframe', {{src: '{FAR}'}})",
    "a form to elsewhere": f"make('form', {{action: '{FAR}', method: 'get'}}).submit()",
    "a program in an address": "link({href: 'javascript:window.open()'})",
    "a payment": "new PaymentRequest([{supportedMethods: '" + FAR + "'}], {total: {label: 'x', "
    "amount: {currency: 'CNY', value: '1'}}}).show().catch(() => 0)",
}
"""What a page could try that somebody had taken over. With a press just before, as browsers ask for."""
NOTICED: Final = frozenset(
    {"a file to choose", *(f"an external program: {what}" for what in ("mailto:", "tel:", "a scheme"))}
)
"""Of these: what ends at Chromium's own notice that it is not allowed. Nobody is anywhere else; what the
notice covers serves nobody until its service is started anew."""
WATCH: Final = """
const me = Math.random();
let tried = "", marks = 0;
addEventListener("keydown", (event) => { marks += event.key === "z"; }, true);
function make(kind, set) {
  const made = Object.assign(document.createElement(kind), set);
  document.body.append(made);
  return made;
}
function link(set) { make("a", set).click(); }
const tries = {%s};
setInterval(async () => {
  const answer = await fetch("/seen", {method: "POST", body: JSON.stringify({me, href: location.href,
    visible: document.visibilityState, focus: document.hasFocus(), ratio: devicePixelRatio,
    scale: visualViewport.scale, tried, marks, size: [innerWidth, innerHeight]})});
  const {way} = await answer.json();
  if (way) { tried = way; try { tries[way](); } catch (error) { console.log(String(error)); } }
}, 100);
"""
