// Debian's Chromium, headless, driven by playwright-core.
import { chromium } from "playwright-core";

/** What a headless Chromium needs as root and without a network. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CATAMARAN_CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });

/** Sizes of screens that people use. */
export const SCREENS = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

export const LANGUAGES = ["en", "ko"];
export const SCHEMES = ["light", "dark"];

/**
 * A fresh page in a fresh profile. What goes wrong in it unseen (errors, refused files) is collected in `page.complaints`,
 * which each test expects to stay empty.
 */
export async function open(browser, { screen = "desktop", language = "en", scheme = "light", ...more } = {}) {
  const locale = language === "ko" ? "ko-KR" : "en-GB";
  const context = await browser.newContext({ ...SCREENS[screen], locale, colorScheme: scheme, ...more });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(`console: ${message.text()}`);
  });
  return page;
}
