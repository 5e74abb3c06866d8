// Every dialog of flows: opened, gone through and closed by keyboard alone, with the focus seen all the time and brought
// back; nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import { flowDialogsOf } from "./dialogs.ts";
import { dialogsWork } from "./keyboard.ts";

dialogsWork("flows", flowDialogsOf);
