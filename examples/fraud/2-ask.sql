-- Where suspicious payments are made.
SELECT merchant, payments, amount, points FROM suspects_by_merchant ORDER BY payments DESC, merchant;

-- The hours in which a card spent too much.
SELECT card, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'yyyy-MM-dd HH:mm') AS since, payments,
       amount
FROM spending ORDER BY amount DESC LIMIT 6;

-- Cards that were nearly everywhere at once.
SELECT card, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'yyyy-MM-dd HH:mm') AS since, one, other,
       payments
FROM travellers ORDER BY payments DESC, since, card LIMIT 6;
