import { readFileSync } from "node:fs";
import { buildEvidence, type Evidence } from "../../operations/evidence/build.ts";
import { type BackendOperator, type FactsSubject, gatherFacts } from "../../operations/evidence/facts/gather.ts";
import { headline, lead } from "../../operations/evidence/page/words.ts";
import { type BoundarySubject, verifyBoundary } from "../../operations/verify/boundary.ts";
import pkg from "../../package.json" with { type: "json" };
import { EXIT } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { openEvidenceKey, pinEvidenceKey } from "../../stacks/host/trust/evidence-key.ts";
import { claimOutputs } from "../claim-outputs.ts";
import { printJson, type Run } from "../command.ts";
import { bareNames, type EvidenceNames, evidenceNames } from "../evidence-files.ts";
import { type EngineSubject, evidenceSubject } from "../evidence-subject.ts";
import { layersOption } from "../layers-option.ts";
import { placeWord, signingKeyPlace } from "../signing-key-place.ts";
import { talk } from "../talk.ts";
import { certsSite } from "./certs-context.ts";
import { fleetInventory } from "./certs-fleet.ts";

const EXIT_OF = { proven: EXIT.done, broken: EXIT.policy, "not-proven": EXIT.failed } as const;

/**
 * `evidence`: looks at every layer, and signs what was found, whatever it is. Four files: the evidence, a page, a summary, and the
 * public key.
 */
export const run: Run = async (context) => {
  const { io, flags, options, paint } = context;
  const layers = layersOption(options.layers);
  const place = signingKeyPlace(context, "--evidence-key", options.evidenceKey);
  const names = evidenceNames(typeof options.output === "string" ? options.output : "evidence.json");
  const subject = await evidenceSubject(context);
  const { boundary } = subject;
  const site = await certsSite(context);
  const engine = await subject.engine();
  using outputs = claimOutputs(io, names);
  const { files } = outputs;
  await using opened = new AsyncDisposableStack();
  const signer = opened.adopt(await openEvidenceKey(site.layout, place, boundary.deployment), (key) => key.close());
  const say = talk(context);
  const onLayer = (layer: string): void => say(`looking at the layer ${layer}`);
  const verification = await verifyBoundary({ ...boundary, layers, clock: io.now, onLayer });
  say("gathering what is known besides");
  const gathered = await gatherFacts(factsFrom(boundary, engine, site, io.now()));
  const evidence = await buildEvidence({
    ...{ ...gathered, verification, signer, names: bareNames(names), place: placeWord(place) },
    issuedAt: io.now(),
  });
  pinEvidenceKey(site.layout, signer);
  files.evidence.write(evidence.envelope);
  files.page.write(evidence.page);
  files.summary.write(evidence.summary);
  files.key.write(evidence.publicKeyPem);
  if (flags.json) printJson(io, documentOf(names, evidence));
  else {
    const colour = evidence.verdict === "proven" ? "green" : evidence.verdict === "broken" ? "red" : "yellow";
    io.stdout(`${paint(colour, headline({ ...evidence, verification }))}\n${lead({ ...evidence, verification })}\n`);
    io.stdout(`${Object.values(names).join(", ")}\n`);
    io.stdout(`public key, SHA-256: ${evidence.fingerprint}\n`);
    io.stdout("give that fingerprint to whoever verifies by another way than the files\n");
  }
  return EXIT_OF[evidence.verdict];
};

function documentOf(files: EvidenceNames, { verdict, fingerprint }: Evidence): object {
  return { schema: "trustkern.evidence-written/1", verdict, fingerprint, files };
}

/** Everything that facts are asked of. */
function factsFrom(
  { deployment, lines }: BoundarySubject,
  engine: EngineSubject,
  site: CertsSite,
  at: Date,
): FactsSubject {
  const { signedBy } = deployment.images;
  return {
    ...{ deployment, lines, site, at },
    ...engine,
    signerPem: signedBy === undefined ? undefined : readFileSync(signedBy, "utf8"),
    versions: { toolkit: pkg.version, node: process.version },
    operators: () => operatorsOfBackend(site, at),
  };
}

/** @throws SERVICE_FAILED where the backend did not answer */
async function operatorsOfBackend(site: CertsSite, at: Date): Promise<readonly BackendOperator[]> {
  const { rows, missing } = await fleetInventory(site, at);
  if (missing !== undefined) throw hostErrors.error("SERVICE_FAILED", missing.message);
  return rows
    .filter((row) => row.class === "operators" && row.state === "ok")
    .map(({ subject, issuer, serial, notAfter }) => {
      return { subject, issuer, serial, notAfter: notAfter.toISOString() };
    });
}
