// What npm's mailauth says of messages: file names in, JSON out. Run with the folder of the installed packages.
'use strict';

const { readFile } = require('node:fs/promises');
const { createRequire } = require('node:module');

const [packages, ...files] = process.argv.slice(2);
const { authenticate } = createRequire(`${packages}/`)('mailauth');

async function judge(file) {
    const { dkim, arc } = await authenticate(await readFile(file), { disableDmarc: true, disableBimi: true });
    return {
        dkim: dkim.results.map((each) => [each.signingDomain, each.selector, each.status.result, each.status.comment]),
        arc: [arc?.status?.result ?? 'none', arc?.status?.comment],
    };
}

Promise.all(files.map(judge)).then((all) => console.log(JSON.stringify(all)));
