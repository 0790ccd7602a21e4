// Says the steps with a voice of this machine; two notes where it has none. Nothing is asked of any network.

const GIVEN_UP_MS = 1500;
const UP = [660, 880];
const DOWN = [520, 390];
const LANGUAGE = { zh: "zh-CN", en: "en-GB" };

let sound = null;

// A voice that is spoken here: others would send the words to somebody's server.
export function voiceFor(language) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  return voices.find((voice) => voice.localService && voice.lang.toLowerCase().startsWith(language)) ?? null;
}

export function say(text, language, bad) {
  hush();
  const voice = voiceFor(language);
  if (!voice) {
    chime(bad ? DOWN : UP);
    return;
  }
  const utterance = new SpeechSynthesisUtterance(text);
  Object.assign(utterance, { voice, lang: LANGUAGE[language], rate: 0.95 });
  // An engine that is there and stays silent is as good as none.
  const silent = setTimeout(() => chime(bad ? DOWN : UP), GIVEN_UP_MS);
  utterance.onstart = () => clearTimeout(silent);
  utterance.onerror = () => clearTimeout(silent);
  window.speechSynthesis.speak(utterance);
}

export function hush() {
  window.speechSynthesis?.cancel();
}

export function chime(notes) {
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
