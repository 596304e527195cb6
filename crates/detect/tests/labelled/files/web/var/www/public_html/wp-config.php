<?php
/** Settings of the shop's blog. */

define( 'DB_NAME',     'blog' );
define( 'DB_USER',     'blog' );
define( 'DB_PASSWORD', 'root' );
define( 'DB_HOST',     'localhost' );
define( 'DB_CHARSET',  'utf8mb4' );

$table_prefix = 'wp_';

define('AUTH_KEY',          '5] [+x}H+-2wbui2C{l/^KAco!LkZlfB#=6u#rzM:}5T_11*^z9w^p0`f>H^`UDm');
define('SECURE_AUTH_KEY',   'qaukKiO!M}RM8&q2(Y74J%L%gB|!&mO|##dE!To#l$pV7tb3;_d^G=S0E#Ht44_S');
define('LOGGED_IN_KEY',     '3s85Hw)~gfDC {L(vrgQekzE`09JjZ:<,SO/:QAaWA2V-D>X|>W@IS8}<uqg7yM;');
define('NONCE_KEY',         'Y3wen`y+iT1+p5jv_RuR<{.i|#?(V!{ m6enb1}_dHa^KFPSyhEAZh|W{rjb(GJs');
define('AUTH_SALT',         'F0zl cD<* &=n (BmAUgLl4lp2h_KU.^Ar6I9dxe{S]mxye|C=5JxrH?pZQ$wkc1');
define('SECURE_AUTH_SALT',  'v2CUlTD` }LhX>!%E{94ypEgkM3t&Cp82=j:pdk:)GLLx8XPo3-uva}$`,q-|JF+');
define('LOGGED_IN_SALT',    ';ap+Ok%cS+*QTU`t@GjSKl=r1F(:ClG+ag .0Okom0#~D#-?=#-:~Gg.k$`U6l[f');
define('NONCE_SALT',        ']JRW=0A~&`<21$g?.ztN#6Bfwoh@h}Z%}Gzc,X]CzS#Iv`Nt4O3*`Q*k.=3:&2K]');

if ( !defined('ABSPATH') )
	define('ABSPATH', dirname(__FILE__) . '/');

require_once(ABSPATH . 'wp-settings.php');
