// Every screen for polling: nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import { looksOf } from "./addresses.ts";

looksOf("polling");
