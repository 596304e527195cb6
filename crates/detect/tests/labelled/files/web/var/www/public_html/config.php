<?php
    $dbms = 'mysql';
    $dbhost = 'localhost';
    $dbport = '';
    $dbname = 'shop';
    $dbuser = 'shop';
    $dbpasswd = 'rain123';
    $connection = mysql_connect($dbhost, $dbuser, $dbpasswd) or die('No connection');
?>
