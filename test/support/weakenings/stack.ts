import { containersOf, drawContainer, dropping, type Loose, type Operator, onContainer, setting } from "./operator.ts";

const SECRETS = "rendered.secrets";
const IMAGES = "rendered.images";
const ENGINE = "rendered.engine";

const VARIABLES = [
  "DB_PASSWORD=hunter2",
  "TOKEN=abc",
  "NODE_OPTIONS=--inspect",
  "LD_PRELOAD=/x.so",
  "AWS_SECRET_ACCESS_KEY=x",
];
const TEXTS = ["-----BEGIN PRIVATE KEY-----", "AGE-SECRET-KEY-1QQ", "$argon2id$v=19$x", "eyJhbGciOiJFUzI1NiJ9.e30.x"];
const EXPRESSIONS = ['file("/etc/shadow")', 'filebase64("/srv/trustkern/secrets/custody/passphrase")', "path.root"];
const digest = (draw: { below: (end: number) => number }) =>
  draw
    .below(2 ** 31)
    .toString(16)
    .padStart(64, "0");

/** Secrets, and what Terraform would put into a text. */
export const SECRET_OPERATORS: readonly Operator[] = [
  onContainer("a variable", SECRETS, (box, draw) => {
    box.env = [...(box.env ?? []), draw.pick(VARIABLES)];
  }),
  onContainer(
    "another value of a variable",
    SECRETS,
    (box, draw) => {
      box.env[draw.below(box.env.length)] += "x";
    },
    ({ env }) => env !== undefined && env.length > 0,
  ),
  dropping("env", SECRETS),
  onContainer("a secret in a label", SECRETS, (box, draw) => {
    draw.pick<Loose>(box.labels).value = draw.pick(TEXTS);
  }),
  onContainer("a secret as an argument", SECRETS, (box, draw) => box.entrypoint.push(draw.pick(TEXTS))),
  onContainer("a secret as an upload", SECRETS, (box, draw) => {
    box.upload = [{ file: "/run/secrets/x", content: draw.pick(TEXTS) }];
  }),
  onContainer("an expression", SECRETS, (box, draw) => {
    const text = `$${`{${draw.pick(EXPRESSIONS)}}`}`;
    const place = draw.pick(["label", "argument", "variable", "log"] as const);
    if (place === "label") draw.pick<Loose>(box.labels).value = text;
    if (place === "argument") box.entrypoint.push(text);
    if (place === "variable") box.env = [...(box.env ?? []), `X=${text}`];
    if (place === "log") box.log_opts[text] = "1";
  }),
];

/** Which bytes run. */
export const IMAGE_OPERATORS: readonly Operator[] = [
  setting("image", IMAGES, [
    "registry.example/evil:latest",
    "evil",
    "registry.example/collector:1.0.0",
    "busybox@sha256:00",
  ]),
  onContainer("another digest", IMAGES, (box, draw) => {
    box.image = `sha256:${digest(draw)}`;
  }),
  onContainer("another component's image", IMAGES, (box, draw, stack) => {
    const others = Object.values(containersOf(stack)).filter(({ image }) => image !== box.image);
    box.image = draw.pick(others).image;
  }),
  dropping("image", IMAGES),
  {
    name: "a further image",
    breaks: IMAGES,
    weaken: (stack, draw) => {
      stack.resource.docker_image = {
        ...stack.resource.docker_image,
        extra: { name: `evil/x@sha256:${digest(draw)}`, keep_locally: true },
      };
      return "extra";
    },
  },
];

/** What else could be in a stack, and where its state goes. */
export const ENGINE_OPERATORS: readonly Operator[] = [
  {
    name: "a further container",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const [name, box] = drawContainer(stack, draw);
      containersOf(stack)[`${name}-2`] = { ...structuredClone(box), name: `${name}-2` };
      return `${name}-2`;
    },
  },
  {
    name: "a component less",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const [name] = drawContainer(stack, draw);
      delete containersOf(stack)[name];
      return name;
    },
  },
  {
    name: "another kind of resource",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const kind = draw.pick([
        "docker_volume",
        "docker_secret",
        "docker_config",
        "docker_service",
        "docker_plugin",
        "null_resource",
        "local_file",
      ]);
      stack.resource[kind] = { x: { name: "x" } };
      return kind;
    },
  },
  {
    name: "another element",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const element = draw.pick(["data", "output", "module", "locals", "variable", "moved", "import", "check"]);
      stack[element] = { x: { value: "1" } };
      return element;
    },
  },
  {
    name: "another provider",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const wanted = stack.terraform.required_providers;
      return draw.pick([
        () => {
          wanted.docker.source = "evil/docker";
          return "source";
        },
        () => {
          delete wanted.docker.version;
          return "version";
        },
        () => {
          wanted.docker.version = ">= 1.0.0";
          return "version";
        },
        () => {
          wanted.null = { source: "hashicorp/null" };
          return "null";
        },
        () => {
          stack.provider.docker[0].host = "tcp://203.0.113.1:2375";
          return "host";
        },
        () => {
          stack.provider.docker[0].registry_auth = [{ address: "evil.example" }];
          return "registry_auth";
        },
        () => {
          stack.provider.local = [{}];
          return "local";
        },
      ])();
    },
  },
  {
    name: "another place of the state",
    breaks: ENGINE,
    weaken: (stack, draw) => {
      const [[kind = "", settings] = []] = Object.entries<Loose>(stack.terraform.backend);
      return draw.pick([
        () => {
          stack.terraform.backend = { http: { address: "http://203.0.113.1/state" } };
          return "http";
        },
        () => {
          settings[draw.pick(Object.keys(settings))] = "elsewhere";
          return kind;
        },
        () => {
          delete settings[draw.pick(Object.keys(settings))];
          return kind;
        },
        () => {
          delete stack.terraform.backend;
          return "none";
        },
      ])();
    },
  },
  onContainer("an attribute of no stack", ENGINE, (box, draw) => {
    const [name, value] = draw.pick([
      ["shm_size", 4096],
      ["storage_opts", { size: "1t" }],
      ["stdin_open", true],
      ["tty", true],
      ["working_dir", "/"],
      ["cpu_set", "0-63"],
      ["rm", true],
      ["links", ["custody"]],
      ["init", true],
      ["lifecycle", { ignore_changes: "all" }],
      ["provisioner", [{ "local-exec": { command: "id" } }]],
      ["count", 2],
    ] as const);
    box[name] = value;
  }),
  onContainer("another name", ENGINE, (box, draw) => {
    box.name = draw.pick(["custody2", "x", ""]);
  }),
  onContainer("another value of a label", ENGINE, (box, draw) => {
    draw.pick<Loose>(box.labels).value += "x";
  }),
  onContainer("a label less", ENGINE, (box, draw) => box.labels.splice(draw.below(box.labels.length), 1)),
  onContainer("a label more", ENGINE, (box, draw) =>
    box.labels.push({ label: draw.pick(["traefik.enable", "trustkern.zone"]), value: "true" }),
  ),
];
