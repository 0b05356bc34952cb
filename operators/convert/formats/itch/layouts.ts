/**
 * @module Messages of Nasdaq TotalView-ITCH 5.0, by their first byte: facts of Nasdaq's specification
 * (nqtvitchspecification.pdf).
 */
import type { StagedType } from "../staged_type.ts";

/** A field behind the common head. */
export interface ItchField {
  name: string;
  offset: number;
  bytes: number;
  /** a: text; u: unsigned integer; 4 or 8: a price of so many decimals. */
  kind: "a" | "u" | 4 | 8;
}

/** A message. */
export interface ItchLayout {
  name: string;
  bytes: number;
  fields: readonly ItchField[];
}

// type name bytes field:bytes+kind…; fields begin at byte 11 and follow each other.
const table = `
S system_event 12 event_code:1a
R stock_directory 39 stock:8a market_category:1a financial_status_indicator:1a round_lot_size:4u
  round_lots_only:1a issue_classification:1a issue_sub_type:2a authenticity:1a
  short_sale_threshold_indicator:1a ipo_flag:1a luld_reference_price_tier:1a etp_flag:1a
  etp_leverage_factor:4u inverse_indicator:1a
H stock_trading_action 25 stock:8a trading_state:1a reserved:1a reason_code:4a
Y reg_sho_restriction 20 stock:8a reg_sho_action:1a
L market_participant_position 26 mpid:4a stock:8a primary_market_maker:1a market_maker_mode:1a
  market_participant_state:1a
V mwcb_decline_level 35 level_1:8p8 level_2:8p8 level_3:8p8
W mwcb_status_level 12 breached_level:1a
K ipo_quoting_period_update 28 stock:8a ipo_quotation_release_time:4u
  ipo_quotation_release_qualifier:1a ipo_price:4p4
J luld_auction_collar 35 stock:8a auction_collar_reference_price:4p4 upper_auction_collar_price:4p4
  lower_auction_collar_price:4p4 auction_collar_extension:4u
h operational_halt 21 stock:8a market_code:1a operational_halt_action:1a
A add_order 36 order_reference_number:8u buy_sell_indicator:1a shares:4u stock:8a price:4p4
F add_order_with_mpid 40 order_reference_number:8u buy_sell_indicator:1a shares:4u stock:8a
  price:4p4 attribution:4a
E order_executed 31 order_reference_number:8u executed_shares:4u match_number:8u
C order_executed_with_price 36 order_reference_number:8u executed_shares:4u match_number:8u
  printable:1a execution_price:4p4
X order_cancel 23 order_reference_number:8u cancelled_shares:4u
D order_delete 19 order_reference_number:8u
U order_replace 35 original_order_reference_number:8u new_order_reference_number:8u shares:4u
  price:4p4
P trade 44 order_reference_number:8u buy_sell_indicator:1a shares:4u stock:8a price:4p4
  match_number:8u
Q cross_trade 40 cross_shares:8u stock:8a cross_price:4p4 match_number:8u cross_type:1a
B broken_trade 19 match_number:8u
I net_order_imbalance 50 paired_shares:8u imbalance_shares:8u imbalance_direction:1a stock:8a
  far_price:4p4 near_price:4p4 current_reference_price:4p4 cross_type:1a
  price_variation_indicator:1a
N retail_price_improvement 20 stock:8a interest_flag:1a
O direct_listing_price_discovery 48 stock:8a open_eligibility_status:1a
  minimum_allowable_price:4p4 maximum_allowable_price:4p4 near_execution_price:4p4
  near_execution_time:8u lower_price_range_collar:4p4 upper_price_range_collar:4p4
`;

/** Its length, before each message of a file. */
export const FRAME_BYTES = 2;
const HEAD_BYTES = 11;

/** Layouts by type byte. */
export const layouts: ReadonlyMap<number, ItchLayout> = new Map(
  table.trim().split(/\n(?=\S)/).map((line) => {
    const [type, name, bytes, ...fields] = line.split(/\s+/);
    let offset = HEAD_BYTES;
    const read = fields.map((text): ItchField => {
      const [, name, width, kind] = text.match(/^(\w+):(\d)(a|u|p4|p8)$/)!;
      const field = {
        name,
        offset,
        bytes: Number(width),
        kind: kind === "p4" ? 4 : kind === "p8" ? 8 : kind as "a" | "u",
      } as const;
      offset += Number(width);
      return field;
    });
    if (offset !== Number(bytes)) throw new Error(`layout ${type} has ${offset} bytes`);
    return [type.charCodeAt(0), { name, bytes: Number(bytes), fields: read }];
  }),
);

/** The column that holds a field. */
export function typeOfField({ bytes, kind }: ItchField): StagedType {
  if (kind === "a") return "VARCHAR";
  if (kind === "u") return bytes === 8 ? "UBIGINT" : "UINTEGER";
  return { decimal: bytes === 8 ? [38, kind] : [18, kind] };
}
