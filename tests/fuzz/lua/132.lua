4

return nosuch()