// Says the steps with a voice of this machine; two notes where it has none. Nothing is asked of any network.

// An engine that is there and stays silent is as good as none.
const BEGINS_MS = 1500;
const TRIED_MS = 5000;
const TRIED_AGAIN_MS = 600_000;
const UP = [660, 880];
const DOWN = [520, 390];
// As voices call the languages, best first. Espeak's Mandarin is "cmn"; Cantonese is another language.
const LANGUAGES = { zh: ["zh-cn", "cmn-cn", "cmn", "zh"], en: ["en-gb", "en-us", "en"] };
const OTHERS = /latn|pinyin|jyutping|hant|hk|yue/;
// Espeak takes its time over Mandarin.
const RATES = { zh: 1.3, en: 0.95 };

let sound = null;
let chosen = {};
let works = false;
let begins = 0;

// The engine hands its voices over some seconds after it was first asked, and it may have thousands.
if (window.speechSynthesis) {
  window.speechSynthesis.addEventListener("voiceschanged", () => { chosen = {}; tryOut(); });
  window.speechSynthesis.getVoices();
}

// An engine without a loudspeaker begins and never ends. So a full stop, which nobody hears, is said to its end first.
function tryOut() {
  works = false;
  const voice = voiceFor("zh") ?? voiceFor("en");
  if (!voice) return;
  const word = new SpeechSynthesisUtterance("。");
  Object.assign(word, { voice, lang: voice.lang, volume: 0 });
  const late = setTimeout(() => {
    window.speechSynthesis.cancel();
    setTimeout(tryOut, TRIED_AGAIN_MS);
  }, TRIED_MS);
  word.onend = () => {
    clearTimeout(late);
    works = true;
    document.documentElement.dataset.voice = voice.lang;
  };
  window.speechSynthesis.speak(word);
}

// A voice that is spoken here: others would send the words to somebody's server.
function voiceFor(language) {
  chosen[language] ??= best(language, window.speechSynthesis?.getVoices() ?? []);
  return chosen[language];
}

function best(language, voices) {
  const here = voices.filter(({ localService, lang }) => localService && !OTHERS.test(tag(lang)));
  for (const wanted of LANGUAGES[language]) {
    const found = here.filter(({ lang }) => tag(lang) === wanted || tag(lang).startsWith(`${wanted}-`));
    // A voice's own sound, before those who imitate somebody: "English+Robosoft".
    if (found.length) return found.find(({ name }) => !name.includes("+")) ?? found[0];
  }
  return null;
}

const tag = (lang) => lang.toLowerCase().replaceAll("_", "-");

export function say(text, language, bad) {
  hush();
  const notes = bad ? DOWN : UP;
  const voice = works ? voiceFor(language) : null;
  if (!voice) {
    chime(notes);
    return;
  }
  const utterance = new SpeechSynthesisUtterance(text);
  Object.assign(utterance, { voice, lang: voice.lang, rate: RATES[language] });
  const silent = () => { hush(); chime(notes); };
  begins = setTimeout(silent, BEGINS_MS);
  const awaited = begins;
  utterance.onstart = () => clearTimeout(awaited);
  utterance.onerror = ({ error }) => {
    clearTimeout(awaited);
    if (error !== "canceled" && error !== "interrupted") chime(notes);
  };
  window.speechSynthesis.speak(utterance);
}

export function hush() {
  clearTimeout(begins);
  if (works) window.speechSynthesis.cancel();
}

function chime(notes) {
  document.documentElement.dataset.chimed = String(Number(document.documentElement.dataset.chimed ?? 0) + 1);
  sound ??= new AudioContext();
  if (sound.state === "suspended") sound.resume();
  notes.forEach((pitch, place) => {
    const tone = sound.createOscillator();
    const loud = sound.createGain();
    const at = sound.currentTime + place * 0.16;
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(loud).connect(sound.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
}
