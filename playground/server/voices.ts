import type { FileContent } from '../dingtalk/types.ts';
import type { VoiceInfo } from './protocol.ts';

/** Voice messages for those who try the playground without a microphone. */
export const VOICES: VoiceInfo[] = [
  { id: 'zh', name: { zh: '中文语音', en: 'Chinese voice' }, recognition: '年假怎么申请', seconds: 2 },
  { id: 'en', name: { zh: '英文语音', en: 'English voice' }, recognition: 'What can you do?', seconds: 2 },
  { id: 'unclear', name: { zh: '钉钉没听清的语音', en: 'Voice not understood' }, recognition: '', seconds: 3 },
];

/** 8 kHz is what telephones have. */
const SAMPLES_A_SECOND = 8_000;
const BYTES_A_SAMPLE = 2;
const HEADER_BYTES = 44;

/** A WAV file that hums, swelling and fading about as syllables do. */
export function voiceFile({ id, seconds }: VoiceInfo): FileContent {
  const count = SAMPLES_A_SECOND * seconds;
  const wav = Buffer.alloc(HEADER_BYTES + count * BYTES_A_SAMPLE);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  // The length of this part, uncompressed, one channel.
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLES_A_SECOND, 24);
  wav.writeUInt32LE(SAMPLES_A_SECOND * BYTES_A_SAMPLE, 28);
  wav.writeUInt16LE(BYTES_A_SAMPLE, 32);
  wav.writeUInt16LE(8 * BYTES_A_SAMPLE, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(count * BYTES_A_SAMPLE, 40);
  for (let index = 0; index < count; index += 1) {
    const time = index / SAMPLES_A_SECOND;
    const loudness = Math.abs(Math.sin(time * Math.PI * 4)) * 9_000;
    wav.writeInt16LE(Math.round(Math.sin(time * Math.PI * 2 * 180) * loudness), HEADER_BYTES + index * BYTES_A_SAMPLE);
  }
  return { name: `voice-${id}.wav`, bytes: wav };
}
