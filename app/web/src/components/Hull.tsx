import { useEffect, useId, useRef, useState } from 'react';

import { percent, ratioPpm, usd } from '../lib/decimal';
import { draught, float, initialLine, type Float, type Load } from './draught';

/** Picture coordinates: light line, maintenance line and deck of the hull amidships. */
const LIGHT_LINE = 232;
const MAIN_LINE = 150;
const DECK = 106;
const WIDTH = 960;
const HEIGHT = 300;
/** Where the mark is painted. */
const MARK = 480;

/** Height in the picture of a draught: 0 is the light line, 1 the maintenance line, 2 the deck. */
function level(height: number): number {
  return height <= 1 ? LIGHT_LINE - (LIGHT_LINE - MAIN_LINE) * height : MAIN_LINE - (MAIN_LINE - DECK) * (height - 1);
}

const STATES: Record<Float, string> = {
  empty: 'Empty: nothing deposited yet.',
  afloat: 'Afloat above both lines.',
  loaded: 'Below the initial line: nothing more may be loaded, but nobody can take the account over.',
  sunk: 'Below the maintenance line: anyone may take the account over.',
  lost: 'Under water: no equity is left.',
};

/** What the picture says, in words and numbers. */
export function describeLoad(load: Load): string {
  const used = ratioPpm(load.requirementMaint, load.equityMaint);
  const usedText = used === null || load.equityMaint <= 0n ? '' : ` The load uses ${percent(used, 1)} of the equity.`;
  return (
    `${STATES[float(load)]}${usedText} Equity ${usd(load.equityMaint)} USD, ` +
    `initial health ${usd(load.equityInit - load.requirementInit)} USD, ` +
    `maintenance health ${usd(load.equityMaint - load.requirementMaint)} USD.`
  );
}

type Props = {
  load: Load;
  /** The load that a trade would leave: drawn as a dashed line. */
  after?: Load | null;
  /** Lower, for tickets. */
  compact?: boolean;
  /** Whose ship it is, for its description. */
  name?: string;
};

/** A ship afloat on an account's equity, with its load lines. How numbers become heights: {@link Load}. */
export function Hull({ load, after, compact = false, name = 'Your account' }: Props) {
  const id = useId();
  const surface = level(draught(load));
  const line = initialLine(load);
  const state = float(load);
  const description = `${name}: ${describeLoad(load)}${after ? ` After the trade: ${describeLoad(after)}` : ''}`;
  return (
    <figure className={`hull ${compact ? 'compact' : ''} hull-${state}`} data-draught={draught(load).toFixed(4)}>
      <svg
        role="img"
        aria-labelledby={`${id}-title`}
        viewBox={compact ? '130 62 700 204' : `-260 0 ${WIDTH + 520} ${HEIGHT}`}
        preserveAspectRatio="xMidYMid slice"
      >
        <title id={`${id}-title`}>{description}</title>
        <defs>
          <linearGradient id={`${id}-sky`} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" className="sky-top" />
            <stop offset="1" className="sky-low" />
          </linearGradient>
          <linearGradient id={`${id}-water`} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" className="water-top" />
            <stop offset="1" className="water-deep" />
          </linearGradient>
          <clipPath id={`${id}-shell`}>
            <path d={SHELL} />
          </clipPath>
        </defs>
        <rect x="-900" width={WIDTH + 1800} height={HEIGHT} fill={`url(#${id}-sky)`} />
        <Ship shell={`${id}-shell`} />
        <Marks initial={line === null ? null : level(line)} isCompact={compact} />
        <Sea surface={surface} fill={`url(#${id}-water)`} label={after ? null : loadText(load)} />
        {after ? <AfterLine surface={level(draught(after))} label={`after: ${loadText(after)}`} /> : null}
      </svg>
      {compact ? null : <Announcer text={STATES[state]} />}
    </figure>
  );
}

/** The shell: raked bow on the right, counter stern on the left, a sheer line that rises to both ends. */
const SHELL =
  'M112 92 C150 103 250 106 480 106 C690 106 800 100 872 78 C866 112 846 160 826 200 C818 222 806 246 786 254 ' +
  'L196 254 C172 254 160 240 158 222 L150 206 C132 196 122 176 118 150 Z';

function Ship({ shell }: { shell: string }) {
  return (
    <g>
      {/* Deckhouse, funnel and masts stand behind the shell. */}
      <path className="ship-house" d="M176 104 V58 H196 V40 H258 V58 H272 V106 Z" />
      <path className="ship-funnel" d="M206 40 L210 14 H236 L240 40 Z" />
      <path className="ship-band" d="M208.5 24 L207.6 30 H238.4 L237.5 24 Z" />
      {[202, 218, 234, 250].map((x) => (
        <rect key={x} className="ship-window" x={x - 4} y={64} width={8} height={7} rx={1.5} />
      ))}
      <path
        className="ship-rig"
        d="M392 106 V34 M392 44 L330 98 M392 44 L454 98 M640 106 V34 M640 44 L578 98 M640 44 L702 98 M838 88 V52"
      />
      <path
        className="ship-hatch"
        d="M306 106 V96 H372 V106 Z M412 106 V96 H546 V106 Z M574 106 V96 H626 V106 Z M656 106 V96 H740 V104 Z"
      />
      <path className="ship-shell" d={SHELL} />
      <g clipPath={`url(#${shell})`}>
        {/* What is always under water is painted red, below the light line. */}
        <rect className="ship-bottom" x="90" y={LIGHT_LINE - 18} width="800" height="80" />
        <rect className="ship-boot" x="90" y={LIGHT_LINE - 22} width="800" height="4" />
        <path className="ship-strake" d="M100 118 C250 126 700 126 880 104" />
      </g>
      <path className="ship-rail" d="M112 92 C150 103 250 106 480 106 C690 106 800 100 872 78" />
      <text className="ship-name" x="716" y="138">
        PLIMSOLL
      </text>
      <path className="ship-rudder" d="M150 206 L140 254 H160 L162 232 Z" />
    </g>
  );
}

/** The Plimsoll mark at the maintenance line, the initial line beside it, and a scale of draught. */
function Marks({ initial, isCompact }: { initial: number | null; isCompact: boolean }) {
  const right = MARK + 64;
  return (
    <g className="marks">
      <circle className="mark-ring" cx={MARK} cy={MAIN_LINE} r="19" />
      <path className="mark-line" d={`M${MARK - 32} ${MAIN_LINE} H${MARK + 32}`} />
      <text className="mark-letter" x={MARK - 27} y={MAIN_LINE - 6} textAnchor="middle">
        P
      </text>
      <text className="mark-letter" x={MARK + 27} y={MAIN_LINE - 6} textAnchor="middle">
        L
      </text>
      <path className="mark-line" d={`M${right} ${MAIN_LINE} H${right + 26}`} />
      <text className="mark-label" x={right + 34} y={MAIN_LINE + 5}>
        maintenance
      </text>
      {initial === null ? null : (
        <>
          <path className="mark-line thin" d={`M${right} ${initial} H${right + 26}`} />
          <path className="mark-line thin" d={`M${right} ${initial} V${MAIN_LINE}`} />
          {initial - MAIN_LINE > 13 ? (
            <text className="mark-label" x={right + 34} y={initial + 5}>
              initial
            </text>
          ) : null}
        </>
      )}
      <g className="mark-scale">
        {[0, 25, 50, 75, 100].map((part) => (
          <g key={part}>
            <path d={`M${MARK - 74} ${level(part / 100)} h12`} />
            {isCompact && part % 50 !== 0 ? null : (
              <text x={MARK - 80} y={level(part / 100) + 4} textAnchor="end">
                {part}
              </text>
            )}
          </g>
        ))}
      </g>
    </g>
  );
}

/** One period of the swell is as long as the step by which its animation moves it. */
const SWELL = Array.from(
  { length: 62 },
  (_, index) => `${index === 0 ? '' : 't'}${index === 0 ? 'q22 -5 44 0' : '44 0'}`,
).join(' ');

/** The load in percent of what the equity can carry. */
function loadText(load: Load): string {
  const used = load.equityMaint > 0n ? ratioPpm(load.requirementMaint, load.equityMaint) : null;
  return used === null ? 'no equity' : percent(used, 1);
}

function Sea({ surface, fill, label }: { surface: number; fill: string; label: string | null }) {
  return (
    <g className="sea" style={{ transform: `translateY(${surface}px)` }}>
      <g className="swell">
        <path className="sea-body" d={`M-940 0 ${SWELL} V400 H-940 Z`} fill={fill} />
        <path className="sea-surface" d={`M-940 0 ${SWELL}`} />
      </g>
      {label === null ? null : (
        <text className="sea-label" x="250" y="-8">
          load {label}
        </text>
      )}
    </g>
  );
}

function AfterLine({ surface, label }: { surface: number; label: string }) {
  return (
    <g className="after" style={{ transform: `translateY(${surface}px)` }}>
      <path d={`M-900 0 H${WIDTH + 900}`} />
      <text x="236" y="-7">
        {label}
      </text>
    </g>
  );
}

/** Tells a screen reader when the state changes, and not on every tick. */
function Announcer({ text }: { text: string }) {
  const [said, setSaid] = useState('');
  const last = useRef(text);
  useEffect(() => {
    if (last.current !== text) setSaid(text);
    last.current = text;
  }, [text]);
  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}
