-- Where suspicious payments are made.
SELECT merchant, payments, amount, points FROM suspects_by_merchant ORDER BY payments DESC, merchant;

-- The hours in which a card spent too much.
SELECT card, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'yyyy-MM-dd HH:mm') AS since, payments,
       amount
FROM spending ORDER BY amount DESC LIMIT 6;

-- Cards that were nearly at two places at once.
SELECT card, times, most FROM travellers ORDER BY times DESC, card LIMIT 6;
