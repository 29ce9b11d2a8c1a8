// What a browser calls itself, as its owner knows it.

// The first that fits: browsers name their forebears too.
const BROWSERS = [
  [/\bOBS\//, "OBS"], [/\bEdgA?\//, "Edge"], [/\b(OPR|Opera)\//, "Opera"], [/\bVivaldi\//, "Vivaldi"], [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"], [/\b(Chrome|CriOS|HeadlessChrome)\//, "Chrome"], [/\bVersion\/.*\bSafari\//, "Safari"], [/\bcurl\//, "curl"],
];
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bAndroid\b/, "Android"], [/\bWindows\b/, "Windows"], [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bCrOS\b/, "ChromeOS"], [/\bLinux\b/, "Linux"],
];

/** "Firefox on Windows". */
export function agent_words(user_agent) {
  const text = String(user_agent ?? "");
  const find = (list) => list.find(([pattern]) => pattern.test(text))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  return browser && system ? `${browser} on ${system}` : browser ?? system ?? (text.slice(0, 40) || "Unknown browser");
}
