import type { Level } from '../../scripts/doctor/level.ts';
import type { RunOptions, Stage, StageOptions } from './doctor-stage.ts';

/** A set-up that the doctor has to find something wrong with. */
export interface WrongSetup {
  name: string;
  stage?: Omit<StageOptions, 'front'>;
  run?: RunOptions | (() => Promise<RunOptions>);
  arrange?: (stage: Stage) => unknown;
  /** What the doctor calls it. */
  code: string;
  /** Default: failed. */
  level?: Level;
  /** In what came back, the remedy or the place: the same in both languages. */
  says: RegExp;
  /** What follows from it and is said as well; nothing else may be. */
  also?: string[];
}
