// Before the first paint: the language and the colours that were asked for, from the link or from the last visit, so that
// nothing flashes. The page itself (app/preferences.rs) reads and writes the same keys.
(() => {
  const query = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const stored = (key) => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  };
  const language = query.get("lang") ?? stored("catamaran.language") ?? navigator.language ?? "en";
  document.documentElement.lang = language.startsWith("ko") ? "ko" : "en";
  const theme = query.get("theme") ?? stored("catamaran.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();
