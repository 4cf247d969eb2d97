/** DSSE payload type of custody's signed statement that a generation is compromised. */
export const COMPROMISE_STATEMENT = "application/vnd.trustkern.compromise+json";
