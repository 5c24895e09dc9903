import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import {
  encryptionKey,
  manager,
  oldId,
  oldSession,
  takingOver,
  tutorialStore,
  userSession,
} from "./support/drop-in.ts";
import { folder } from "./support/site.ts";

describe("SealedStore and the sessions of the tutorial's own server", () => {
  test("each kind that was ever written: ArcGISIdentityManager and UserSession, encrypted or not, in another folder", async (t) => {
    const [path, other] = [folder(t), folder(t)];
    const [one, two, three, four] = [oldId(), oldId(), oldId(), oldId()];
    await tutorialStore(path)(one, oldSession({ arcgis: manager("sandy_admin") }));
    const plain = { secret: undefined, encoder: JSON.stringify };
    await tutorialStore(path)(two, oldSession({ arcgis: { serialize: () => userSession({}) } }));
    await tutorialStore(path, plain)(three, oldSession({ userSession: userSession({}), theme: "{dark}" }));
    await tutorialStore(path, { secret: "an older one" })(
      four,
      oldSession({ arcgis: manager("vik_viewer") }),
    );

    const { get, warnings } = takingOver(t, other, {
      path,
      secret: ["not this one", encryptionKey, "an older one"],
    });
    const unencrypted = takingOver(t, other, { path });
    const first = await get(one);
    assert.ok(first?.arcgis instanceof ArcGISIdentityManager, "it is a manager");
    assert.equal(first.arcgis.username, "sandy_admin");
    assert.equal(first.arcgis.canRefresh, true);
    assert.equal((await get(two))?.arcgis?.username, "una_publisher");
    const third = (await unencrypted.get(three)) as unknown as {
      userSession: ArcGISIdentityManager;
      theme: string;
    };
    assert.equal(await third.userSession.getToken("https://www.arcgis.com/sharing/rest/x"), "old token");
    assert.equal(third.theme, "{dark}", "another text that begins with a brace stays one");
    assert.equal("__lastAccess" in third, false);
    assert.equal((await get(four))?.arcgis?.username, "vik_viewer");
    assert.deepEqual(readdirSync(path), []);
    assert.equal(readdirSync(other).length, 4);
    assert.deepEqual([...warnings, ...unencrypted.warnings], []);
  });
});
