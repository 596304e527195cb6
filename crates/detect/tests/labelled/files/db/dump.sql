-- MySQL dump 10.13  Distrib 8.0.20, for Linux (x86_64)
--
-- Host: 127.0.0.1    Database: shop
-- ------------------------------------------------------

/*!40101 SET NAMES utf8 */;

CREATE TABLE IF NOT EXISTS `customers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `login` varchar(255) DEFAULT NULL,
  `password` varchar(60) DEFAULT NULL,
  `active` tinyint(1) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

INSERT INTO `customers` (`id`, `login`, `password`, `active`) VALUES
(1, 'person0', '$2y$10$Ghp7D1H6UigUfc4UtBw9jXvA5oPKxQXljhTtTHs2ztzEXCe1GKDjh', 0),
(2, 'person1', '$2y$10$4ph9Z2sjPvLFXDAGIEsnYkJ1oNcjRQCtAMkwSZrFrJcjPrxMJ1bIU', 1),
(3, 'person2', '$2y$10$Eu1wTLbg5FeEFQ.P3D5BxPxa.7nVA7B6QSFDv9kFxv74P5/ESvKGu', 0),
(4, 'person3', '$2y$10$EzNLPWp0ZUdW5VqydU2mDS0LC.TaW20.k7k6zViFPBVXUy.Wna7fJ', 1),
(5, 'person4', '$2y$10$NfivVag3jxaAm59Zq39RcijlbgtgVFcDmpEs0eWuZ/PCKZM9Dw/qF', 0),
(6, 'person5', '$2y$10$Jx01iuik9pyj/UVmQ.bZ1JKVvxpfB3wzp58Ajur09nJ.LUEgxrts7', 1),
(7, 'person6', '$2y$10$Tc7j2q3M/IPIAI.F6p4g.2wcmA6oNlHHmTqU9/Nz1UsNZb7xT7IwG', 0),
(8, 'person7', '$2y$10$aGsCKwscoEMm4o.lBNEEPmpeJaeVWVSVvApZw7JGIi6mQK5hUO8C0', 1),
(9, 'person8', '$2y$10$/1SkaZ4iEv4ERBNpS0RQ5RCWz9.XaRrKZ4Z00t665kdtZI5y0aUUk', 0),
(10, 'person9', '$2y$10$7qfRXWrnxB9OGIb9iM/SHawhwP/7JLGXmwhh2WEhLujqzeTunvQFT', 1);
