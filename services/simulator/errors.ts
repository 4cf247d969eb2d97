import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the simulator. */
export const simulatorErrors = catalogue({
  SE_COMMAND_REFUSED: {
    exit: EXIT.configuration,
    summary:
      "A secure element does not know the command, or not with these arguments. None of its commands reads a key out.",
    fix: "use one of the accepted commands: info, serial, public-key, sign, random, counter",
  },
  SIM_STATE_UNUSABLE: {
    exit: EXIT.resource,
    summary: "The simulator's state directory cannot be opened, or is damaged.",
    fix: "free space or mend the disk; if a file is damaged, remove the simulator's state directory: its sensors are then made anew",
  },
  SIM_SENSOR_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The simulator has no sensor of that id.",
    fix: "list the sensors with GET /sensors",
  },
  SIM_NOT_PROVISIONED: {
    exit: EXIT.policy,
    summary: "A sensor that holds no provisioning bundle cannot join a network.",
    fix: "provision it through its provisioning port first",
  },
  SIM_NOT_JOINED: {
    exit: EXIT.policy,
    summary: "A sensor that has not joined its network cannot send.",
    fix: "join it first with POST /sensors/:id/join",
  },
  SIM_NOTHING_CAPTURED: {
    exit: EXIT.policy,
    summary: "A rogue radio has heard no message of that sensor that it could use.",
    fix: "let the sensor send one first with POST /sensors/:id/measure",
  },
  SIM_PROVISIONING_REFUSED: {
    exit: EXIT.configuration,
    summary: "A sensor's provisioning port does not understand the request.",
    fix: "send one JSON object in a line: identify, prove with a nonce of 32 bytes in hex, or provision with a bundle",
  },
});
