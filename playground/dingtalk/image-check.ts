/** How the images begin that DingTalk takes (protocol 6: jpg, gif, png, bmp). */
const starts: readonly (readonly [format: string, bytes: readonly number[]])[] = [
  ['jpg', [0xff, 0xd8, 0xff]],
  ['gif', [0x47, 0x49, 0x46, 0x38]],
  ['png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['bmp', [0x42, 0x4d]],
];

/** Whether bytes are an image, by how they begin; its name may say another format. */
export function isImage(bytes: Uint8Array): boolean {
  return starts.some(([, start]) => start.every((byte, index) => bytes[index] === byte));
}
