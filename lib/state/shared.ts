/** Facts that all instances of a robot share: a name is set for a while, or it is not. */
export interface SharedFlags {
  isSet(name: string): Promise<boolean>;
  set(name: string, ttlMs: number): Promise<void>;
}

/** DingTalk's access token, shared by the instances of one robot. */
export interface SharedToken {
  read(): Promise<{ value: string; expiresAtMs: number } | null>;
  save(token: { value: string; expiresAtMs: number }): Promise<void>;
  /** True for one instance in half a minute. That instance renews the token. */
  claimRenewal(): Promise<boolean>;
}
