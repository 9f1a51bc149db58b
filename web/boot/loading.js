// What is seen while the WebAssembly loads, and when it can't be loaded (used by Trunk's start script).
export default function loading() {
  const find = (id) => document.getElementById(id);
  return {
    onProgress: ({ current, total }) => {
      const bar = find("loading-bar");
      if (bar && total) bar.value = Math.round((100 * current) / total);
    },
    onFailure: (error) => {
      find("loading")?.setAttribute("hidden", "");
      find("load-failure")?.removeAttribute("hidden");
      const cause = find("load-failure-cause");
      if (cause) cause.textContent = String(error);
      throw error;
    },
  };
}
