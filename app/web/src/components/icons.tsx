/** Icons of the page, drawn on a 24-unit square; none carries meaning of its own. */
function Icon({ d }: { d: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={d} fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

export const MarkIcon = () => <Icon d="M3 12h18M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z" />;
export const HullIcon = () => <Icon d="M3 13h18l-2.5 6h-13ZM12 13V4m0 1 6 6M12 5l-6 6" />;
export const TradeIcon = () => <Icon d="M4 8h13m0 0-3.5-3.5M17 8l-3.5 3.5M20 16H7m0 0 3.5-3.5M7 16l3.5 3.5" />;
export const PoolIcon = () => <Icon d="M3 9q3-3 6 0t6 0 6 0M3 15q3-3 6 0t6 0 6 0" />;
export const LifebuoyIcon = () => (
  <Icon d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 5.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM5.6 5.6l3.9 3.9m5 5 3.9 3.9m0-12.8-3.9 3.9m-5 5-3.9 3.9" />
);
export const LogIcon = () => <Icon d="M6 3h12v18H6ZM9 8h6M9 12h6M9 16h3" />;
export const SunIcon = () => (
  <Icon d="M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.5 1.5m11 11L19 19M5 19l1.5-1.5m11-11L19 5" />
);
export const MoonIcon = () => <Icon d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z" />;
export const GearIcon = () => <Icon d="M4 7h9m4 0h3M4 17h3m4 0h9M15 4.5v5M9 14.5v5" />;
export const CloseIcon = () => <Icon d="M6 6l12 12M18 6 6 18" />;
