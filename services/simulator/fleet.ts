import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type CoapTiming, createCoapClient } from "../runtime/coap/client.ts";
import type { Endpoint } from "../runtime/coap/message.ts";
import { simulatorErrors } from "./errors.ts";
import {
  makeSoftSecureElement,
  SoftSecureElement,
  softSecureElementFile,
} from "./secure-element/secure-element-soft.ts";
import type { Nvm } from "./sensor/nvm.ts";
import { openProvisioningPort, type ProvisioningPort } from "./sensor/provisioning-port.ts";
import { bootSensor, type Sensor } from "./sensor/sensor.ts";

/** All simulated sensors. */
export interface Fleet {
  /** Makes sensors until there are that many; those that exist stay. */
  readonly grow: (count: number) => Promise<void>;
  readonly sensors: () => readonly Sensor[];
  /** @throws SIM_SENSOR_UNKNOWN */
  readonly sensor: (id: string) => Sensor;
  readonly close: () => void;
}

/** What {@link openFleet} is handed. */
export interface FleetOptions {
  readonly stateDir: string;
  readonly nvm: Nvm;
  readonly gateway: Endpoint;
  readonly timing: CoapTiming;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Uniform in 0..1. */
  readonly random: () => number;
  readonly onRefusedUpdate: (sensorId: string, code: string) => void;
}

/**
 * Boots every sensor of the state directory; a factory-fresh one opens its provisioning port.
 * @throws SIM_STATE_UNUSABLE
 */
export async function openFleet(options: FleetOptions): Promise<Fleet> {
  const { nvm, gateway, timing, now, random, onRefusedUpdate } = options;
  const folder = join(options.stateDir, "secure-elements");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sensors = new Map<string, Sensor>();
  const ports: ProvisioningPort[] = [];
  let growing: Promise<void> = Promise.resolve();

  async function boot(id: string): Promise<void> {
    const path = softSecureElementFile(folder, id);
    if (!existsSync(path))
      throw simulatorErrors.error("SIM_STATE_UNUSABLE", `sensor ${id} has lost its secure element`, { path });
    const element = new SoftSecureElement(path);
    const publicKey = String((await element.execute({ command: "public-key" })).public_key);
    const coap = createCoapClient(gateway, timing);
    const sensor = bootSensor({ id, publicKey, element, nvm, coap, now, random, onRefusedUpdate });
    sensors.set(id, sensor);
    if (sensor.memory().state === "factory") ports.push(await openProvisioningPort(sensor));
  }

  async function grow(count: number): Promise<void> {
    while (sensors.size < count) {
      const id = makeSoftSecureElement(folder);
      nvm.create(id);
      await boot(id);
    }
  }

  for (const id of nvm.sensorIds()) await boot(id);

  return {
    grow: (count) => {
      growing = growing.then(() => grow(count));
      return growing;
    },
    sensors: () => [...sensors.values()],
    sensor(id) {
      const sensor = sensors.get(id);
      if (!sensor) throw simulatorErrors.error("SIM_SENSOR_UNKNOWN", `no sensor "${id}"`, { path: id });
      return sensor;
    },
    close() {
      for (const port of ports) port.close();
      for (const sensor of sensors.values()) sensor.close();
    },
  };
}
