import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of rendering a model for Docker. */
export const dockerStackErrors = catalogue({
  DOCKER_COMPONENT: {
    exit: EXIT.configuration,
    summary: "A component says too little, or asks for too much, to be a container.",
    fix: "give the component an image, and let it run once; the modules' component.ts says both",
  },
  DOCKER_SUBNETS_FULL: {
    exit: EXIT.configuration,
    summary: "The pool of subnets is smaller than the number of networks that the deployment needs.",
    fix: "name a larger private network in docker.subnets of trustkern.yaml, such as 10.213.0.0/16",
  },
  DOCKER_PORTS_FULL: {
    exit: EXIT.configuration,
    summary: "No port number is left on the host for a published port.",
    fix: "name a lower port in ports of trustkern.yaml",
  },
  DOCKER_PORT_UNPUBLISHED: {
    exit: EXIT.configuration,
    summary: "A port is named that the docker engine publishes for nobody.",
    fix: "take the line out of ports in trustkern.yaml: what is not published is reached inside the deployment's networks alone",
  },
  DOCKER_PORTS_SAME: {
    exit: EXIT.configuration,
    summary: "Two published ports ask for the same number on the host.",
    fix: "name different ports in ports of trustkern.yaml",
  },
});
