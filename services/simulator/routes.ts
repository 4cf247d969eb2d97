import { z } from "zod";
import type { Endpoint } from "../runtime/coap/message.ts";
import type { ControlRoute } from "../runtime/control.ts";
import { parseBody } from "../runtime/parse-body.ts";
import type { Tls13Options } from "../runtime/tls.ts";
import type { SimulatorConfig } from "./config.ts";
import type { Fleet } from "./fleet.ts";
import { GATEWAY_KINDS, RADIO_KINDS } from "./rogue/forgeries.ts";
import { attackByGateway } from "./rogue/rogue-gateway.ts";
import { attackByRadio } from "./rogue/rogue-sensor.ts";
import type { RunLoop } from "./run-loop.ts";
import { askRadio } from "./sensor/ask-radio.ts";
import type { Nvm } from "./sensor/nvm.ts";
import { MAKER } from "./sensor/provisioning-port.ts";
import type { Sensor } from "./sensor/sensor.ts";

/** Most sensors that one simulator holds. */
const MAX_SENSORS = 1000;
const MAX_RATE = 10_000;
/** Ledger entries in one answer; the caller asks again behind the last `id`. */
const LEDGER_PAGE = 50_000;

const growBody = z.strictObject({ count: z.int().min(1).max(MAX_SENSORS) });
const runBody = z.strictObject({
  rate: z.number().positive().max(MAX_RATE),
  total: z.int().min(0).nullable().default(null),
});
const radioBody = z.strictObject({ kind: z.enum(RADIO_KINDS), sensor_id: z.string() });
const gatewayBody = z.strictObject({ kinds: z.array(z.enum(GATEWAY_KINDS)).min(1), sensor_id: z.string() });
const ledgerQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });

/** What the routes act on. */
export interface RouteParts {
  readonly config: SimulatorConfig;
  readonly fleet: Fleet;
  readonly nvm: Nvm;
  readonly loop: RunLoop;
  readonly gateway: Endpoint;
  readonly rogueTls: Tls13Options;
}

/** The simulator's control routes. */
export function simulatorRoutes({ config, fleet, nvm, loop, gateway, rogueTls }: RouteParts): readonly ControlRoute[] {
  const list = (): readonly object[] => fleet.sensors().map(describe);
  const each = (
    method: "GET" | "POST",
    path: string,
    handler: (sensor: Sensor, body: unknown) => unknown,
  ): ControlRoute => ({
    method,
    path: `/sensors/:id/${path}`,
    handler: (body, { params }) => handler(fleet.sensor(params.id ?? ""), body),
  });
  const route = (method: "GET" | "POST", path: string, handler: ControlRoute["handler"]) => ({ method, path, handler });

  return [
    route("POST", "/sensors", async (body) => {
      await fleet.grow(parseBody(growBody, body).count);
      return list();
    }),
    route("GET", "/sensors", list),
    each("POST", "secure-element", ({ element }, body) => element.execute(body)),
    each("POST", "radio", askRadio),
    each("GET", "provisioning", provisioningOf),
    each("POST", "join", (sensor) => sensor.join()),
    each("POST", "measure", async (sensor) => {
      const { answer, bytes, bootId, seq, plaintext } = await sensor.measure();
      const envelope = Buffer.from(bytes).toString("hex");
      const payload = answer?.payload.toString(answer.code === "2.04" ? "hex" : "utf8") ?? null;
      return { envelope, plaintext, boot_id: bootId, seq, code: answer?.code ?? null, payload };
    }),
    each("POST", "reboot", async (sensor) => {
      await sensor.reboot();
      return describe(sensor);
    }),
    route("POST", "/run", (body) => {
      const { rate, total } = parseBody(runBody, body);
      loop.run(rate, total);
      return { rate, total };
    }),
    route("POST", "/stop", () => {
      loop.stop();
      return { remaining: loop.remaining() };
    }),
    route("POST", "/rogue/sensor", (body) => {
      const { kind, sensor_id } = parseBody(radioBody, body);
      return attackByRadio(kind, fleet.sensor(sensor_id), gateway, config.coapTiming);
    }),
    route("POST", "/rogue/gateway", (body) => {
      const { kinds, sensor_id } = parseBody(gatewayBody, body);
      return attackByGateway(kinds, fleet.sensor(sensor_id), config.rogue.broker, rogueTls);
    }),
    route("GET", "/ledger", (_, { query }) =>
      nvm.ledger(parseBody(ledgerQuery, Object.fromEntries(query)).after, LEDGER_PAGE),
    ),
  ];
}

function describe(sensor: Sensor): object {
  const { state, provisioningPort, bootId, seq, acknowledged, rejected } = sensor.memory();
  return {
    sensor_id: sensor.id,
    public_key: sensor.publicKey,
    maker: MAKER,
    state,
    provisioning_port: state === "factory" ? provisioningPort : null,
    boot_id: bootId,
    seq,
    acknowledged,
    rejected,
  };
}

/** What a sensor keeps of its provisioning, or null before it. */
function provisioningOf(sensor: Sensor): object | null {
  const { provisioningPort: port, bundle, activation } = sensor.memory();
  const known = sensor.bundle();
  return known && { port, bundle, bundle_id: known.bundle_id, activation };
}
