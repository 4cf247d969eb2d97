/**
 * Brings a bundle to the site in a folder, as a process that can be killed; its engine and toolkits keep what they have in that folder.
 * usage: node bringing.ts FOLDER install|upgrade|rollback VERSION
 */
import { TestSite, testBundle } from "../../../operations/bundle/install/test-site.ts";

const [folder = "", wish, version] = process.argv.slice(2);
const at = new TestSite(folder);
if (wish === "rollback") await at.back();
else await at.bring(wish === "upgrade" ? "upgrade" : "install", testBundle(Number(version)));
