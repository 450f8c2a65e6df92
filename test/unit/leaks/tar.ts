/** A file of a tar archive to be made. */
export interface TarFile {
  readonly path: string;
  readonly content?: Buffer | string;
  /** Of a link. */
  readonly target?: string;
}

/** A tar archive as POSIX has it, with extended headers where a name is long. */
export function tarOf(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap(({ path, content = "", target }) => {
    const bytes = Buffer.from(content as string);
    const long = path.length > 100 || (target ?? "").length > 100;
    const records = long
      ? record("path", path) + (target === undefined ? "" : record("linkpath", target))
      : "";
    const extended = long
      ? [header("pax", Buffer.byteLength(records), "x"), padded(Buffer.from(records))]
      : [];
    const type = target === undefined ? "0" : "2";
    return [...extended, header(path, bytes.length, type, target), padded(bytes)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1_024)]);
}

function header(path: string, size: number, type: string, target = ""): Buffer {
  const block = Buffer.alloc(512);
  block.write(path.slice(0, 100), 0);
  block.write("0000644\0", 100);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(target.slice(0, 100), 157);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(`${length}${rest}`) !== length) length += 1;
  return `${length}${rest}`;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
