/** Every region of AWS in a member state of the European Union; none is in another state of the EEA. */
export const AWS_EU_REGIONS: readonly string[] = [
  "eu-central-1",
  "eu-west-1",
  "eu-west-3",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eusc-de-east-1",
];

/** Every region of a provider in a member state of the European Union. */
export const EU_REGIONS: readonly string[] = [...AWS_EU_REGIONS, "fsn1", "nbg1", "hel1"];
