import type { EChartsType } from 'echarts/core';
import type { EChartsCoreOption } from 'echarts/core';
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';

import { onTheme, theme } from '../lib/theme';

/** Colours of the page's theme, for a canvas that cannot read custom properties. */
export type Palette = {
  ink: string;
  soft: string;
  rule: string;
  sheet: string;
  accent: string;
  gain: string;
  loss: string;
  zero: string;
};

function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: read('--ink'),
    soft: read('--ink-soft'),
    rule: read('--rule'),
    sheet: read('--sheet-raised'),
    accent: read('--accent'),
    gain: read('--heat-gain'),
    loss: read('--heat-loss'),
    zero: read('--heat-zero'),
  };
}

type Props = {
  /** What the chart says, for who cannot see it. */
  label: string;
  option: (colours: Palette, width: number) => EChartsCoreOption;
  /** The same numbers as a table. */
  table: ReactNode;
  height?: 'short' | undefined;
};

/** A chart, or the same numbers as a table. */
export function Chart({ label, option, table, height }: Props) {
  const [asTable, setAsTable] = useState(false);
  return (
    <div className="stack">
      {asTable ? (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
          {table}
        </div>
      ) : (
        <Canvas label={label} option={option} height={height} />
      )}
      <div className="button-row">
        <button
          type="button"
          className="button small"
          onClick={() => {
            setAsTable(!asTable);
          }}
          aria-pressed={asTable}
        >
          Show as table
        </button>
      </div>
    </div>
  );
}

function Canvas({ label, option, height }: Pick<Props, 'label' | 'option' | 'height'>) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const latest = useRef(option);
  const [failure, setFailure] = useState(false);
  const mode = useSyncExternalStore(onTheme, theme);
  latest.current = option;

  useEffect(() => {
    let gone = false;
    let observer: ResizeObserver | null = null;
    import('./echarts').then(
      ({ init }) => {
        if (gone || !box.current) return;
        const made = init(box.current);
        chart.current = made;
        const draw = () => {
          made.setOption({ animation: false, ...latest.current(palette(), made.getWidth()) }, { notMerge: true });
        };
        draw();
        observer = new ResizeObserver(() => {
          made.resize();
          draw();
        });
        observer.observe(box.current);
      },
      () => {
        setFailure(true);
      },
    );
    return () => {
      gone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const made = chart.current;
    made?.setOption({ animation: false, ...option(palette(), made.getWidth()) }, { notMerge: true });
  }, [option, mode]);

  if (failure) return <p className="quiet">The chart could not be loaded; the table has the same numbers.</p>;
  return <div ref={box} className={height ? `chart ${height}` : 'chart'} role="img" aria-label={label} />;
}
