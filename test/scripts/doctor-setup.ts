import type { DifySimulator } from '../../playground/dify/types.ts';
import type { StreamGateway } from '../../playground/dingtalk/stream-gateway.ts';
import type { DingTalkSimulator } from '../../playground/dingtalk/types.ts';
import type { Level } from '../../scripts/doctor/finding.ts';
import type { RunOptions, StageOptions } from './doctor-stage.ts';

/** A set-up that the doctor has to find something wrong with. */
export interface WrongSetup {
  name: string;
  stage?: Omit<StageOptions, 'front'>;
  run?: RunOptions | (() => Promise<RunOptions>);
  arrange?: (vendors: { dingtalk: DingTalkSimulator; dify: DifySimulator; gateway: StreamGateway }) => unknown;
  /** What the doctor calls it. */
  code: string;
  /** Default: failed. */
  level?: Level;
  /** In what came back, the remedy or the place: the same in both languages. */
  says: RegExp;
  /** What follows from it and is said as well; nothing else may be. */
  also?: string[];
}
