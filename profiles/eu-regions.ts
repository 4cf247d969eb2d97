/** A provider whose regions are known here. */
export type Provider = "AWS" | "Azure" | "Google Cloud" | "Hetzner" | "OVHcloud" | "Scaleway";

/** A region of a provider, and the state that it lies in. */
export interface ProviderRegion {
  /** Name that the provider gives it, in lower case. */
  readonly region: string;
  readonly provider: Provider;
  /** ISO 3166-1 alpha-2. */
  readonly country: EeaState;
}

/** Member states of the European Union, and Iceland, Liechtenstein and Norway: the states where the GDPR is law. */
export type EeaState =
  | ("AT" | "BE" | "BG" | "CY" | "CZ" | "DE" | "DK" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "HU" | "IE" | "IT")
  | ("LT" | "LU" | "LV" | "MT" | "NL" | "PL" | "PT" | "RO" | "SE" | "SI" | "SK" | "IS" | "LI" | "NO");

// Switzerland and the United Kingdom are in neither: eu-central-2, europe-west6 and eu-west-2, europe-west2, uksouth are not here.
const KNOWN: Readonly<Record<Provider, readonly (readonly [country: EeaState, regions: string])[]>> = {
  AWS: [
    ["DE", "eu-central-1 eusc-de-east-1"],
    ["IE", "eu-west-1"],
    ["FR", "eu-west-3"],
    ["SE", "eu-north-1"],
    ["IT", "eu-south-1"],
    ["ES", "eu-south-2"],
  ],
  Azure: [
    ["NL", "westeurope"],
    ["IE", "northeurope"],
    ["DE", "germanywestcentral germanynorth"],
    ["FR", "francecentral francesouth"],
    ["SE", "swedencentral"],
    ["PL", "polandcentral"],
    ["IT", "italynorth"],
    ["ES", "spaincentral"],
    ["NO", "norwayeast norwaywest"],
  ],
  "Google Cloud": [
    ["BE", "europe-west1"],
    ["DE", "europe-west3 europe-west10"],
    ["NL", "europe-west4"],
    ["IT", "europe-west8 europe-west12"],
    ["FR", "europe-west9"],
    ["FI", "europe-north1"],
    ["SE", "europe-north2"],
    ["PL", "europe-central2"],
    ["ES", "europe-southwest1"],
  ],
  Hetzner: [
    ["DE", "fsn1 nbg1"],
    ["FI", "hel1"],
  ],
  OVHcloud: [
    ["FR", "gra gra9 gra11 sbg sbg5 rbx eu-west-par"],
    ["DE", "de de1"],
    ["PL", "waw waw1"],
  ],
  Scaleway: [
    ["FR", "fr-par"],
    ["NL", "nl-ams"],
    ["PL", "pl-waw"],
  ],
};

/** Regions in the European Union and the EEA; a region that is not here may lie there too, and is then to be added. */
export const EEA_REGIONS: readonly ProviderRegion[] = (Object.keys(KNOWN) as Provider[]).flatMap((provider) =>
  KNOWN[provider].flatMap(([country, regions]) => regions.split(" ").map((region) => ({ region, provider, country }))),
);

/** Names of all {@link EEA_REGIONS}. */
export const EU_REGIONS: readonly string[] = EEA_REGIONS.map(({ region }) => region);

/** Names of those of AWS; none is in a state of the EEA that is not a member of the Union. */
export const AWS_EU_REGIONS: readonly string[] = EEA_REGIONS.flatMap(({ region, provider }) =>
  provider === "AWS" ? [region] : [],
);
