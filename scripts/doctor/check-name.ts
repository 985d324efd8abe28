export type CheckName =
  | 'configuration'
  | 'values'
  | 'node'
  | 'limits'
  | 'store'
  | 'schedule'
  | 'token'
  | 'stream'
  | 'permissions'
  | 'console'
  | 'template'
  | 'dify'
  | 'difyVersion'
  | 'difyType'
  | 'difyInputs'
  | 'difyFeatures'
  | 'difyFiles'
  | 'clock'
  | 'address'
  | 'probe'
  | 'sameSecret'
  | 'cardCallback'
  | 'callbacks';

/** What each check is called in the report. */
export type Titles = Readonly<Record<CheckName, string>>;
