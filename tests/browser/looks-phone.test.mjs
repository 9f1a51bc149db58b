// What every page looks like on a phone.
import { looks } from "./support/looks.mjs";
import { session } from "./support/session.mjs";

looks(session(), "phone");
