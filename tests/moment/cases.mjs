// Prints cases of moment.js: what it prints, reads, adds and counts, for the date cards to be held against.
//
// Usage: node cases.mjs SEED COUNT
//
// One case per line, its cells between tabs:
//   P  format  zone  milliseconds             text      printing
//   R  format  zone  now  fit  text           result    reading; fit is `forgiving` or `strict`, a result milliseconds or `-`
//   A  milliseconds  number  units            result    adding
//   D  start  end                             years months days hours   counting
// The same seed and count give the same lines.
import moment from 'moment-timezone';

const [seed, count] = process.argv.slice(2).map(Number);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count)) {
  console.error('usage: node cases.mjs SEED COUNT');
  process.exit(2);
}
moment.suppressDeprecationWarnings = true;

// A small generator of chance, so that the seed is all there is to know.
let state = seed >>> 0;
function chance() {
  state = (state + 0x6d2b79f5) >>> 0;
  let bits = state;
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
}
const below = (end) => Math.floor(chance() * end);
const one = (list) => list[below(list.length)];

const TOKENS = (
  'M Mo MM MMM MMMM Q Qo D Do DD DDD DDDo DDDD d do dd ddd dddd e E w wo ww W Wo WW YY YYYY YYYYY YYYYYY Y y yy yyy ' +
  'yyyy yo N NN NNN NNNN NNNNN gg gggg ggggg GG GGGG GGGGG A a H HH h hh k kk hmm hmmss Hmm Hmmss m mm s ss S SS SSS ' +
  'SSSS SSSSS SSSSSS SSSSSSS SSSSSSSS SSSSSSSSS z zz Z ZZ X x L LT LTS LL LLL LLLL l ll lll llll'
).split(' ');
const BETWEEN = [' ', '-', '/', ':', '.', ',', 'T', '', ' ', '-', '[T]', '[at ]', '\\Y', '[Q] ', '_', ' [of] ', '\\[', 'é'];
const KNOWN = [
  'YYYY-MM-DD', 'MM/DD/YYYY', 'M/D/Y', 'MM/DD/YY', 'D/M/Y', 'YYYY-MM-DDTHH:mm:ssZ', 'YYYY-MM-DDTHH:mm:ss.SSSZ',
  'YYYY-MM-DD HH:mm:ss', 'YYYYMMDD', 'YYYYMMDDHHmmss', 'dddd, MMMM D, Y h:mm a z', 'yyyy-MM-DDTHH:mm:ss.SSS',
  'ddd, DD MMM YYYY HH:mm:ss ZZ', 'MMMM Do YYYY, h:mm:ss a', 'h:mm A', 'HH:mm', 'X', 'x', 'GGGG-[W]WW-E', 'gggg-ww-e',
  'YYYY-DDDD', 'YYYY DDD', 'DD.MM.YYYY', 'D MMM YY', 'MMM D', 'YYYY [Q]Q', 'YYYY', 'dddd', 'LLLL', 'lll', 'L LTS',
  'YYYY-MM-DDTHH:mm:ss[Z]', 'MM-DD-YYYY hh:mm A', 'YYYYMMDDHHmmss.S[Z]', 'Do MMMM YYYY', 'H:m:s', 'kk:mm',
];
const ZONES = [
  'UTC', 'UTC', 'UTC', 'America/New_York', 'America/Los_Angeles', 'Europe/London', 'Europe/Berlin', 'Asia/Tokyo',
  'Asia/Kolkata', 'Australia/Sydney', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Pacific/Auckland', 'Africa/Cairo',
  'Etc/GMT+5', 'Etc/GMT-3', 'America/St_Johns', 'Australia/Lord_Howe',
];
const OFFSETS = ['+05:30', '-08:00', '+00:00', '+14:00', '-03:30', '+01:00'];
const NOWS = ['2025-03-01T12:30:45.678Z', '2024-02-29T23:59:59.999Z', '2026-11-29T03:00:00Z', '2021-01-01T00:00:00Z']
  .map((text) => Date.parse(text));
const UNITS = ['milliseconds', 'seconds', 'minutes', 'hours', 'days', 'weeks', 'months', 'years'];

const FIRST = Date.UTC(1970, 0, 2);
const LAST = Date.UTC(2037, 0, 1);

// An instant: mostly of the years that zones are known for, sometimes at a border, in UTC also of other years.
function instant(wide) {
  const kind = below(10);
  if (wide && kind === 0) return new Date(Date.UTC(2000, below(12), below(31), below(24), below(60), below(60), below(1000))).setUTCFullYear(below(9998) + 1);
  if (kind === 1) return Date.UTC(1970 + below(67), below(12), 1) - below(2);
  if (kind === 2) return Date.UTC(1970 + below(67), one([0, 11]), one([1, 2, 3, 4, 28, 29, 30, 31]), below(24));
  if (kind === 3) return (FIRST + below(LAST - FIRST)) - ((FIRST + below(1)) % 1000);
  return FIRST + below(LAST - FIRST);
}

function format() {
  if (below(3) === 0) return one(KNOWN);
  let text = '';
  for (let left = 1 + below(6); left > 0; left -= 1) text += one(TOKENS) + one(BETWEEN);
  return text;
}

// A text with one thing changed.
function bent(text) {
  const at = below(text.length + 1);
  switch (below(7)) {
    case 0: return text.slice(0, at) + one('0123456789 -/:.TZapm+'.split('')) + text.slice(at);
    case 1: return text.slice(0, at) + text.slice(at + 1);
    case 2: return text.replace(/\d/, String(below(10)));
    case 3: return below(2) ? text.toUpperCase() : text.toLowerCase();
    case 4: return text + one([' ', 'x', ' and more', '9', '.5']);
    case 5: return one([' ', 'on ', '0', '-', 'x']) + text;
    default: return text.slice(0, at);
  }
}

// What a bare `Z` in a format would print for a zone name, moment prints for an offset too: `UTC`. Not compared.
const namesZone = (format) => /z/.test(format.replace(/\[[^[]*\]/g, ''));

function printing() {
  const text = format();
  const fixed = below(8) === 0 && !namesZone(text);
  const zone = fixed ? one(OFFSETS) : one(ZONES);
  const at = instant(zone === 'UTC');
  const shown = fixed ? moment.utc(at).utcOffset(zone) : zone === 'UTC' ? moment.utc(at) : moment.tz(at, zone);
  return ['P', text, zone, at, shown.format(text)];
}

function reading() {
  const text = below(2) ? one(KNOWN) : format();
  const zone = one(ZONES);
  const now = one(NOWS);
  const strict = below(3) === 0;
  const at = instant(zone === 'UTC');
  const source = below(8) === 0 ? format() : text;
  let shown = (zone === 'UTC' ? moment.utc(at) : moment.tz(at, zone)).format(source);
  if (below(2)) shown = bent(shown);
  if (below(8) === 0) shown = bent(shown);
  moment.now = () => now;
  const read = zone === 'UTC' ? moment.utc(shown, text, strict) : moment.tz(shown, text, strict, zone);
  return ['R', text, zone, now, strict ? 'strict' : 'forgiving', shown, read.isValid() ? read.valueOf() : '-'];
}

function adding() {
  const at = instant(false);
  const units = one(UNITS);
  const number = below(200) - 100;
  return ['A', at, number, units, moment.utc(at).add(number, units).valueOf()];
}

function counting() {
  const start = instant(false);
  const end = below(2) ? instant(false) : start + (below(400) - 200) * 86400000 + one([0, 0, 1, -1, 3600000]);
  const to = moment.utc(end);
  const parts = ['years', 'months', 'days', 'hours'].map((units) => to.diff(moment.utc(start), units) || 0);
  return ['D', start, end, ...parts];
}

const lines = [];
while (lines.length < count) {
  const kind = below(20);
  const cells = kind < 7 ? printing() : kind < 16 ? reading() : kind < 18 ? adding() : counting();
  const line = cells.join('\t');
  // A case whose text holds a tab or ends a line could not be told apart.
  if (!/[\r\n]/.test(line) && line.split('\t').length === cells.length) lines.push(line);
}
process.stdout.write(`${lines.join('\n')}\n`);
