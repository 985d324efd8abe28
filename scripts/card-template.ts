// `npm run card-template`: writes the card template as a file that the card builder imports.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { environment } from '../lib/config/environment.ts';
import { templateFile } from './card-template/template.ts';
import { wordsOf } from './card-template/words.ts';
import { languageOfPlace } from './language.ts';
import { codeOf } from './problems.ts';

const words = wordsOf[languageOfPlace(environment())];

interface Options {
  isHelp: boolean;
  isMinimal: boolean;
  file: string;
}

process.exitCode = main();

function main(): 0 | 1 | 2 {
  const options = optionsOf(process.argv.slice(2));
  if (!options) {
    console.error(words.usage);
    return 2;
  }
  if (options.isHelp) {
    console.log(words.usage);
    return 0;
  }
  const { isMinimal, file } = options;
  try {
    writeFileSync(file, `${JSON.stringify(templateFile(isMinimal), null, 2)}\n`);
  } catch (error) {
    console.error(words.unwritable(file, codeOf(error)));
    return 1;
  }
  const steps = words.steps.map((step, index) => `${index + 1}. ${step}`);
  const unseen = isMinimal ? [] : words.unseen.map((part) => `- ${part}`);
  console.log([words.written(file), ...steps, '', words.unproved, ...unseen].join('\n'));
  return 0;
}

/** Null where they are not understood. */
function optionsOf(args: string[]): Options | null {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        minimal: { type: 'boolean', default: false },
        file: { type: 'string', default: 'card-template.json' },
      },
    });
    return { isHelp: values.help, isMinimal: values.minimal, file: values.file };
  } catch {
    return null;
  }
}
